"""The skeletons of those in a feed of JSON, whose messages name their joints: the order is that of coming. Pure."""

from typing import NamedTuple

from motionscribe.sources.moments import ANY_RATE_HZ
from motionscribe_models.skeleton import Skeleton

MOST_KNOWN = 128
"""People whose joints are kept: the latest."""
MOST_JOINTS = 1024
"""Of one skeleton."""


class Axes(NamedTuple):
    """What the numbers of a place are, as Skeleton has it."""

    representation: str
    units: str
    metres_per_unit: float
    up_axis: str
    left_handed: bool


class Skeletons:
    """Keeps the newest skeleton of each person."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Axes, Skeleton]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def forget(self) -> None:
        """The sender begins anew."""
        self._known.clear()

    def find(self, id: str, joints: tuple[str, ...], axes: Axes | None) -> Skeleton | None:
        """The skeleton that has these joints; None without any, or without axes where none were before.

        It is the one before where that has them all, and has them too where most of the joints were there before.
        """
        before = self._known.pop(id, None)
        if axes is None:
            axes = before[0] if before else None
        if axes is None:
            return None
        old = before[1].joints if before and before[0] == axes else ()
        new = tuple(joint for joint in joints if joint not in set(old))
        if not before or not old or new:
            kept = old if 2 * len(new) <= len(joints) and len(old) + len(new) <= MOST_JOINTS else ()
            joints = kept + new if kept else joints
            if not joints:
                return None
            before = axes, _skeleton(joints, axes)
        self._known[id] = before
        if len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]
        return before[1]


def _skeleton(joints: tuple[str, ...], axes: Axes) -> Skeleton:
    return Skeleton(
        name="JSON",
        joints=joints,
        parents=(-1,) * len(joints),
        rate_hz=ANY_RATE_HZ,
        **axes._asdict(),
    )
