"""A live feed that says what a test tells it: its reader hands out moments from a list, at once."""

from collections.abc import Generator, Iterable, Sequence

import numpy as np

from motionscribe.sources.moments import Body, Moment
from motionscribe_models.skeleton import Skeleton

JOINTS = ("left_hip", "right_hip", "head")
SKELETON = Skeleton("three", JOINTS, (-1,) * len(JOINTS), "positions", "m", 1.0, "y", 30.0)
STEP_US = 10_000
HERE_US = 1_700_000_000_000_000


def standing(x: float, person: str = "", skeleton: Skeleton = SKELETON) -> Body:
    """Somebody whose hips are at x."""
    places = np.array([[x - 0.1, 1.0, 0.0], [x + 0.1, 1.0, 0.0], [x, 1.8, 0.0]], np.float32)
    return Body(skeleton, places.ravel()[: skeleton.width], person=person)


def moments_of(frames: Iterable[Sequence[Body]], start: int = 0, step_us: int = STEP_US) -> list[Moment]:
    """One moment a frame, heard as evenly as it was sent."""
    return [Moment(n * step_us, HERE_US + n * step_us, bodies) for n, bodies in enumerate(frames, start)]


class ToldReader:
    """A Reader."""

    where = "a test"

    def __init__(self, moments: Iterable[Moment | Exception | None], rate_hz: float = 0.0) -> None:
        self.rate_hz = rate_hz
        self.strange = 0
        self.closed = False
        self._moments = moments

    def moments(self) -> Generator[Moment | None, None, None]:
        try:
            for moment in self._moments:
                if isinstance(moment, Exception):
                    raise moment
                yield moment
        finally:
            self.closed = True
