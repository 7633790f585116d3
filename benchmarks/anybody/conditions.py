"""What sources do to a body that a laboratory sees perfectly: copies of recordings, and of their annotations.

In: recordings of the canonical body at 120 Hz. Out: the same motion as another source gives it. Seeds make them repeat.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from motionscribe_models.arrays import Single
from motionscribe_models.recordings import Recording
from motionscribe_training.data.annotations import Annotation, Boundary, Segment
from motionscribe_training.data.degrade import LIMBS, hold_pelvis, lose, noise, tilt
from motionscribe_training.data.views import seen_from_anywhere

LOST = 0.2
THINNED = 8
"""120 to 15 Hz."""
UNSEEN_VIEWS = 3
Change = Callable[[Single, float, np.random.Generator], bool]
"""Changes places (n, 15, 3) at a rate; returns whether the y axis is still vertical."""


def _clean(_places: Single, _rate_hz: float, _rng: np.random.Generator) -> bool:
    return True


def _noise4(places: Single, rate_hz: float, rng: np.random.Generator) -> bool:
    places += noise(places.shape, rate_hz, 0.04, rng)
    return True


def _drop20(places: Single, rate_hz: float, rng: np.random.Generator) -> bool:
    lose(places, LIMBS, rate_hz, LOST, rng)
    return True


def _rootless(places: Single, _rate_hz: float, _rng: np.random.Generator) -> bool:
    hold_pelvis(places)
    return False


def _low15(places: Single, rate_hz: float, rng: np.random.Generator) -> bool:
    places += noise(places.shape, rate_hz, 0.03, rng)
    tilt(places, 15.0)
    return False


CONDITIONS: dict[str, Change] = {
    "clean": _clean,
    "noise4": _noise4,
    "drop20": _drop20,
    "rootless": _rootless,
    "low15": _low15,
}
"""Nothing; 4 cm of correlated noise; limbs lost 20 % of the time; no path of the pelvis, as MediaPipe; 15 Hz, 3 cm,
tilted by 15 degrees."""


def seen_as(recording: Recording, condition: str, seed: int) -> Recording:
    """A copy."""
    rate_hz, frames, times = recording.skeleton.rate_hz, recording.frames.copy(), recording.timestamps_us
    if condition == "low15":
        frames, times, rate_hz = frames[::THINNED].copy(), times[::THINNED], rate_hz / THINNED
    places = frames[:, :-1].reshape(len(frames), -1, 3)  # a view
    frames[:, -1] = CONDITIONS[condition](places, rate_hz, np.random.default_rng(seed))
    return replace(recording, frames=frames, timestamps_us=times, skeleton=replace(recording.skeleton, rate_hz=rate_hz))


def unseen_views(recording: Recording, seed: int) -> list[Recording]:
    """Images of cameras whose places are drawn apart from those of training, which draws from the seed alone."""
    rng = np.random.default_rng([seed, *recording.name.encode()])
    return [seen_from_anywhere(recording, rng) for _ in range(UNSEEN_VIEWS)]


def thinned(annotation: Annotation, frames: int) -> Annotation:
    """The annotation of a recording of which every THINNED-th frame was kept, `frames` in all."""
    segments: list[Segment] = []
    for start, end, name in annotation.segments:
        first = segments[-1].end if segments else start // THINNED
        segments.append(Segment(first, min(frames, -(-end // THINNED)), name))
    boundaries = [
        Boundary(min(b.earliest // THINNED, s.start), s.start, max(b.latest // THINNED, s.start))
        for b, s in zip(annotation.boundaries, segments[1:], strict=True)
    ]
    return Annotation(tuple(segments), tuple(boundaries))
