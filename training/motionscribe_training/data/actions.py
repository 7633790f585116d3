"""Recordings made by joining clips of one action each, as in the published experiments, with their annotation.

In: a folder of clips `<action>_<n>.txt` (or another recording ending). Out: one recording, and its Annotation. The cuts
between clips are hard: the place on the floor continues, but pose and heading jump. Boundaries are therefore easier to
find than those of a person who changes from one action to another; say so beside any score.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.gaps import longest_step_us, runs_without_gap
from motionscribe_models.recordings import CMU_EXPMAP_117, Recording, even_times
from motionscribe_models.recordings.files import files_in
from motionscribe_models.recordings.reading import readers_of
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.data.annotations import CLIP, Annotation, Boundary, Segment, normalise_name
from motionscribe_training.data.dataset import read_aloud


def concatenate_actions(
    folder: Path,
    actions: Sequence[str] = (),
    num_actions: int | None = None,
    total_num_actions: int | None = None,
    seed: int = 0,
) -> tuple[Recording, Annotation]:
    """Joins `total_num_actions` clips of `num_actions` different actions, chosen by `seed`.

    `actions` are the names to choose from, all of the folder's when empty; `num_actions` defaults to all of them,
    `total_num_actions` to each once. Every chosen action comes at least once, no action twice in a row, and no clip
    again before all of its action were used. Raises RecordingError.
    """
    clips = find_clips(folder)
    names = list(dict.fromkeys(actions)) or sorted(clips)
    unknown = [name for name in names if name not in clips]
    if unknown:
        raise RecordingError(f"{folder}: expected actions of {', '.join(sorted(clips))}, got {', '.join(unknown)}")
    different = len(names) if num_actions is None else num_actions
    total = different if total_num_actions is None else total_num_actions
    if not 1 <= different <= len(names):
        raise RecordingError(f"expected --num-actions of 1 to {len(names)} ({', '.join(names)}), got {different}")
    if total < different or (different == 1 and total > 1):
        raise RecordingError(
            f"expected --total-num-actions of at least {different}, and 1 for a single action, got {total}"
        )
    rng = np.random.default_rng(seed)
    order = [names[i] for i in rng.permutation(len(names))[:different]]
    while len(order) < total:
        others = [name for name in order[:different] if name != order[-1]]
        order.append(others[rng.integers(len(others))])
    unused: dict[str, list[Path]] = {name: [] for name in order}
    chosen: list[Path] = []
    for name in order:
        if not unused[name]:
            unused[name] = [clips[name][i] for i in rng.permutation(len(clips[name]))]
        chosen.append(unused[name].pop())
    return join([read_aloud(path) for path in chosen], order)


def find_clips(folder: Path) -> dict[str, list[Path]]:
    """Action to its clips, sorted. Raises RecordingError where there is none."""
    clips: dict[str, list[Path]] = {}
    for path in files_in(folder) if folder.is_dir() else []:
        match = CLIP.fullmatch(path.stem)
        if match and readers_of(path):
            clips.setdefault(match[1], []).append(path)
    if not clips:
        raise RecordingError(f"{folder}: expected a folder of clips named <action>_<number>.txt, found none")
    return clips


def join(clips: Sequence[Recording], names: Sequence[str]) -> tuple[Recording, Annotation]:
    """Clips of one layout and rate, one after the other, annotated with their names. Raises RecordingError."""
    skeleton = clips[0].skeleton
    if any((c.skeleton.columns, c.skeleton.rate_hz) != (skeleton.columns, skeleton.rate_hz) for c in clips):
        raise RecordingError(f"expected clips of one layout and rate, got {', '.join(sorted(c.name for c in clips))}")
    for clip in clips:
        if len(runs_without_gap(clip.timestamps_us, longest_step_us(skeleton.rate_hz, skeleton.rate_hz))) > 1:
            raise RecordingError(f"{clip.name}: expected a clip without gaps, got one in which time is missing")
    frames: list[NDArray[np.float32]] = []
    segments: list[Segment] = []
    for clip, name in zip(clips, names, strict=True):
        # a clip of the 117-column set begins with one frame of T pose, which is not motion
        body = clip.frames[1:] if skeleton.joints == CMU_EXPMAP_117.joints else clip.frames
        if frames:
            body = body + _shift(skeleton, frames[-1][-1], body[0])
        start = segments[-1].end if segments else 0
        segments.append(Segment(start, start + len(body), normalise_name(name)))
        frames.append(body)
    joined = np.concatenate(frames)
    recording = Recording("+".join(names), joined, even_times(len(joined), skeleton.rate_hz), skeleton)
    return recording, Annotation(tuple(segments), tuple(Boundary(s.start, s.start, s.start) for s in segments[1:]))


def _shift(skeleton: Skeleton, last: NDArray[np.float32], first: NDArray[np.float32]) -> NDArray[np.float32]:
    """(D,) shift of a clip so that its root begins above the floor point where the clip before it ended."""
    shift = np.zeros(skeleton.width, np.float32)
    floor = [axis for axis in range(3) if axis != skeleton.up]
    for place in REPRESENTATIONS[skeleton.representation].places(len(skeleton.joints)):
        shift[[place + axis for axis in floor]] = (last - first)[floor]
    return shift
