"""What a live feed says of one moment: who is there, by which skeleton, and where the joints are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.skeleton import Skeleton


@dataclass(frozen=True, eq=False)
class Body:
    """One person in one moment."""

    skeleton: Skeleton
    """The same object as long as it is the same skeleton. Its rate is what the sender says, or ANY_RATE_HZ."""
    values: NDArray[np.float32]
    """(D,) as the skeleton's columns are; NaN for a joint that was not seen."""
    confidences: NDArray[np.float32] | None = None
    """(J,), 0..1, where the sender knows them."""
    person: str = ""
    """The sender's own id of this person, of A-Z a-z 0-9 . _ -; empty where it has none: a tracker tells who it is."""


@dataclass(frozen=True)
class Moment:
    """All that was sent for one time."""

    time_us: int
    """By the sender's clock; `arrived_us` where it has none."""
    arrived_us: int
    """When it came here: feed_clock.now_us()."""
    bodies: Sequence[Body]


def seen_places(places: NDArray[np.floating], seen: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Places (J, 3) as the values (3 J,) of a Body: NaN of a joint that is not `seen`, or lacks one of its numbers."""
    with np.errstate(over="ignore", invalid="ignore"):  # too large for float32 becomes infinity; NaN may signal
        values = places.astype(np.float32)
    there = np.isfinite(values).all(axis=1)
    values[~(there if seen is None else there & seen)] = np.nan
    return values.ravel()


MOST_JOINTS = 512
"""Of a body; more are no body but an attack, or a fault."""
ANY_RATE_HZ = 30.0
"""Of a skeleton whose sender does not say how often frames come; LiveFeed measures it, see there."""
