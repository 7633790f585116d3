"""Which joints of a skeleton are its limbs, neck and spine, found by their names and by the joint tree.

Joints are indices. A tree without parents, as cameras have it, gets those of the canonical body (body/joints.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from motionscribe_models.body.joints import PARENTS
from motionscribe_models.body.names import Sum, find_joints
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.errors import TrainingError

SIDES = ("left", "right")
ROOTS = {"arm": "shoulder", "leg": "hip"}


@dataclass(frozen=True)
class Limb:
    """An arm or a leg."""

    part: str
    """A key of ROOTS."""
    root: int
    """Shoulder or hip."""
    below: tuple[int, ...]
    """Joints that hang on the root, the nearest first."""


@dataclass(frozen=True)
class Anatomy:
    """The parts of a skeleton. Made by anatomy_of."""

    parents: tuple[int, ...]
    """-1 for none."""
    limbs: tuple[Limb, ...]
    """Left and right arm, left and right leg."""
    head: int | None
    """The end of the head; None where several joints stand for it or none does."""

    def path(self, joint: int) -> list[int]:
        """From the tree's root to a joint, both included."""
        path = [joint]
        while self.parents[path[0]] >= 0:
            path.insert(0, self.parents[path[0]])
        return path

    def below(self, joint: int) -> tuple[int, ...]:
        """Joints that hang on a joint, the nearest first."""
        return joints_below(self.parents, joint)


def anatomy_of(skeleton: Skeleton) -> Anatomy:
    """Raises TrainingError for a skeleton in which no single joint is a shoulder, elbow, hip or knee of each side."""
    found = find_joints(skeleton.joints)[1]
    index = {name: joint for joint, name in enumerate(skeleton.joints)}
    joints = {part: index[sums[0][0][0]] for part, sums in found.items() if len(sums[0]) == 1}
    needed = [f"{side}_{part}" for part in ("shoulder", "elbow", "hip", "knee") for side in SIDES]
    if missing := [part for part in needed if part not in joints]:
        raise TrainingError(
            f"{skeleton.name}: expected a joint for each of {', '.join(needed)}, got none for {', '.join(missing)}; "
            "motionscribe_models.body.mapping.mapped makes a body of markers"
        )
    parents = skeleton.parents if max(skeleton.parents) >= 0 else _canonical_parents(joints, len(skeleton.joints))
    limbs = [
        Limb(part, joints[f"{side}_{root}"], joints_below(parents, joints[f"{side}_{root}"]))
        for part, root in ROOTS.items()
        for side in SIDES
    ]
    for left, right in zip(limbs[::2], limbs[1::2], strict=True):
        if len(left.below) != len(right.below) or len(left.below) < 2:
            raise TrainingError(
                f"{skeleton.name}: expected two joints or more below each {ROOTS[left.part]}, as many left as right, "
                f"got {len(left.below)} and {len(right.below)}"
            )
    return Anatomy(tuple(parents), tuple(limbs), _head(found.get("head", ()), index))


def joints_below(parents: Sequence[int], joint: int) -> tuple[int, ...]:
    """Joints that hang on a joint, the nearest first; those of one distance in the skeleton's order."""
    found, nearest = [], [joint]
    while nearest:
        nearest = [child for child, parent in enumerate(parents) if parent in nearest]
        found += nearest
    return tuple(found)


def _canonical_parents(joints: Mapping[str, int], count: int) -> list[int]:
    parents = [-1] * count
    for part, joint in joints.items():
        parents[joint] = joints.get(PARENTS[part], -1)
    return parents


def _head(sums: Sequence[Sum], index: Mapping[str, int]) -> int | None:
    """Of Acclaim's bones the head, whose place is between two far ends."""
    ends = [index[name] for name, weight in (sums[0] if sums else ()) if weight > 0]
    return max(ends, default=None) if len(ends) <= 2 else None
