"""Biovision hierarchies (BVH) of recordings that hold rotations: y up, in the recording's unit.

Each joint has its offset at rest and turns in the order z, y, x, the root in its place as well. What ends a chain gets
an end site. Bones of Acclaim, which turn themselves, become the joints at their near ends, by the names that CMU's
motions have in BVH. Places alone are refused: they do not tell how a limb is turned about itself.
"""

from pathlib import Path
from typing import TextIO

import numpy as np

from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.recordings.skeletons import BVH_NAMES
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.representations.joint_rotations import JointRotations
from motionscribe_models.rotations import rotation_degrees
from motionscribe_models.skeleton import Skeleton, upright

_TURNS = "Zrotation Yrotation Xrotation"


def write_bvh(recording: Recording, path: Path) -> None:
    """Raises RecordingError for a recording without rotations, of a left hand, or with frames missing.

    LayoutError for rotations without bones; OSError.
    """
    skeleton = recording.skeleton
    representation = REPRESENTATIONS[skeleton.representation]
    if not isinstance(representation, JointRotations):
        raise RecordingError(
            f"{recording.name}: expected rotations for .bvh, as .amc and AMASS have them, "
            f"got {skeleton.representation}: choose .csv, .trc, .nc or .npz"
        )
    if not skeleton.offsets:
        raise LayoutError(f"{skeleton.name}: expected a skeleton with offsets or positions, got neither")
    if skeleton.left_handed:
        raise RecordingError(f"{recording.name}: expected axes of a right hand for .bvh, got a left hand's")
    _check_even(recording)
    up = upright(skeleton)
    turns = representation.turns(skeleton, recording.frames)
    roots = [joint for joint, parent in enumerate(skeleton.parents) if parent < 0]
    turns[:, roots] = up @ turns[:, roots]
    angles = rotation_degrees(turns)
    places = recording.frames[:, :3] @ up.T
    with path.open("w", encoding="utf-8", newline="\n") as file:
        print("HIERARCHY", file=file)
        order: list[int] = []
        for root in roots:
            _write_joint(file, skeleton, root, 0, order)
        print(f"MOTION\nFrames: {len(angles)}\nFrame Time: {1 / skeleton.rate_hz:.9f}", file=file)
        columns = [part for joint in order for part in ([places] if joint in roots else []) + [angles[:, joint]]]
        np.savetxt(file, np.hstack(columns), fmt="%.9g")


def _check_even(recording: Recording) -> None:
    """Raises RecordingError unless the times are those that a rate alone gives."""
    period = 1e6 / recording.skeleton.rate_hz
    late = np.abs(np.diff(recording.timestamps_us) - period) > period / 2
    if late.any():
        gap = int(np.argmax(late))
        raise RecordingError(
            f"{recording.name}: expected a frame every {period / 1000:.1f} ms for .bvh, which has no times, "
            f"got a gap after frame {gap + 1}: choose .csv, .trc, .nc or .npz"
        )


def _write_joint(file: TextIO, skeleton: Skeleton, joint: int, depth: int, order: list[int]) -> None:
    """A joint and all below it; `order` gets them as their channels stand in a frame."""
    order.append(joint)
    children = [child for child, parent in enumerate(skeleton.parents) if parent == joint]
    root = skeleton.parents[joint] < 0
    name = BVH_NAMES.get(skeleton.joints[joint], skeleton.joints[joint]) if skeleton.axes else skeleton.joints[joint]
    tab, inner = "\t" * depth, "\t" * (depth + 1)
    print(f"{tab}{'ROOT' if root else 'JOINT'} {name}\n{tab}{{", file=file)
    # a bone of Acclaim begins where its parent ends; the place of a root is in its channels
    turning = skeleton.parents[joint] if skeleton.axes else joint
    print(f"{inner}OFFSET {_numbers((0.0, 0.0, 0.0) if root else skeleton.offsets[turning])}", file=file)
    position = "Xposition Yposition Zposition "
    print(f"{inner}CHANNELS {f'6 {position}' if root else '3 '}{_TURNS}", file=file)
    for child in children:
        _write_joint(file, skeleton, child, depth + 1, order)
    if not children:
        end = skeleton.offsets[joint] if skeleton.axes else (0.0, 0.0, 0.0)
        print(f"{inner}End Site\n{inner}{{\n{inner}\tOFFSET {_numbers(end)}\n{inner}}}", file=file)
    print(f"{tab}}}", file=file)


def _numbers(vector: tuple[float, float, float]) -> str:
    return " ".join(f"{number:.9g}" for number in vector)
