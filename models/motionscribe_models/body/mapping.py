"""Frames of any skeleton to frames of the canonical body.

In: a skeleton with places, or with rotations and offsets, and its raw frames (K, D). Out: frames of BODY (K, 46):
metres, y up, axes of a right hand, NaN where a joint was not seen; of places in an image frames of BODY2D (K, 31), in
the source's unit, y up. It keeps nothing between frames.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array, Single
from motionscribe_models.body.joints import SEEN
from motionscribe_models.body.names import Sum, find_joints
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.errors import LayoutError, RecordingError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings.recording import Recording
from motionscribe_models.rotations import TINY
from motionscribe_models.skeleton import Skeleton, upright

NEEDED = ("shoulder", "hip", "knee")
"""Without these, of both sides, there is no telling how a body stands or which way it faces."""
CONFIDENT = 0.3
"""A joint of less confidence counts as not seen."""
NOT_THERE = "not there"
"""What is said of a joint that a skeleton does not have."""
FARTHEST = {"body": 3000.0, "body2d": 1e5}
"""Metres, and pixels: what is further away is a fault of the sender."""
MOST_JOINTS = 4096
"""Of all actors and props of a feed."""
IMAGE = "positions2d"
"""The representation of places in an image."""
MIDDLES = [tuple(SEEN.index(f"{side}_{part}") for side in ("left", "right")) for part in ("hip", "shoulder")]
"""What pelvis and neck are between."""
PIECE = 10_000
"""Frames of a recording that are mapped at once: rotations of an hour would take gigabytes."""


@dataclass(frozen=True)
class Mapping:
    """How the joints of `skeleton` become those of BODY or BODY2D. Made by find_mapping."""

    skeleton: Skeleton
    convention: str
    sums: tuple[tuple[Sum, ...], ...]
    """Of each of SEEN the sums of the skeleton's joints that may stand for it, the best first; empty where none can."""

    @property
    def body(self) -> Skeleton:
        """BODY2D for places in an image, BODY for all others."""
        return body_of(self.skeleton.representation)

    @property
    def missing(self) -> tuple[str, ...]:
        """Joints of the body that the skeleton does not have."""
        return tuple(joint for joint, sums in zip(SEEN, self.sums, strict=True) if not sums)

    @cached_property
    def _weights(self) -> list[Array]:
        """(13, J) weights by rank: those of the best sums, of the next best, ..."""
        index = {joint: place for place, joint in enumerate(self.skeleton.joints)}
        ranks = [np.zeros((len(SEEN), len(index))) for _ in range(max(map(len, self.sums)))]
        for place, sums in enumerate(self.sums):
            for weights, terms in zip(ranks, sums, strict=False):
                for joint, weight in terms:
                    weights[place, index[joint]] = weight
        return ranks

    @cached_property
    def _turn(self) -> Array:
        """(3, 3) from the skeleton's axes to those of the body."""
        return upright(self.skeleton)

    def apply(self, frames: NDArray[np.floating], confidences: NDArray[np.floating] | None = None) -> Single:
        """Raw frames (K, D), confidences (K, J) where they are known, to frames of the body."""
        frames = np.where(np.isfinite(frames), frames, np.nan)  # what infinity turns to is not defined
        places = self._places(frames)  # (K, J, 3)
        farthest = np.abs(places).max(axis=2)
        lost = ~(farthest * self.skeleton.metres_per_unit < FARTHEST[self.body.representation])
        if self.skeleton.representation in ("positions", IMAGE):
            lost |= farthest == 0  # so many say that they saw nothing
        if confidences is not None:
            lost |= ~(confidences >= CONFIDENT)  # NaN is not sure
        places = np.where(lost[..., None], 0, places) @ (self._turn.T * self.skeleton.metres_per_unit)
        seen = np.full((len(frames), len(SEEN), 3), np.nan)
        for weights in self._weights:
            there = np.isnan(seen[..., 0]) & weights.any(axis=1) & ~(lost @ (weights != 0).T)
            seen = np.where(there[..., None], weights @ places, seen)
            if not np.isnan(seen).any():
                break
        seen[~(np.abs(seen).max(axis=2) < FARTHEST[self.body.representation])] = np.nan  # sums of what is far apart
        middles = [(seen[:, left] + seen[:, right]) / 2 for left, right in MIDDLES]
        joints = np.concatenate([np.stack(middles, axis=1), seen], axis=1)
        if self.body is BODY2D:
            joints = joints[..., :2]
        level = np.full((len(frames), 1), float(self.skeleton.level))
        return np.hstack([joints.reshape(len(frames), -1), level]).astype(np.float32)

    def _places(self, frames: NDArray[np.floating]) -> Array:
        """In the skeleton's units and axes; NaN of what rotations turn that mean nothing."""
        if self.skeleton.representation == "quaternion":
            rotations = frames[:, 3:].reshape(len(frames), -1, 4).astype(np.float64)
            means = np.linalg.norm(rotations, axis=2, keepdims=True) >= TINY
            rotations = np.where(means, rotations, np.nan)
            frames = np.hstack([frames[:, :3], rotations.reshape(len(frames), -1)])
        return joint_positions(self.skeleton, frames)

    def describe(self) -> list[str]:
        """A line for each joint of the body, for people."""
        return [f"{joint}: {_describe(sums)}" for joint, sums in zip(SEEN, self.sums, strict=True)]


def body_of(representation: str) -> Skeleton:
    """What skeletons of a representation are mapped to."""
    return BODY2D if representation in (IMAGE, BODY2D.representation) else BODY


def find_mapping(skeleton: Skeleton) -> Mapping:
    """Raises LayoutError, with the joints of both, for a skeleton that has not the parts of a body or no places."""
    if skeleton.representation == IMAGE and skeleton.up == 2:
        raise LayoutError(f"{skeleton.name}: expected an up axis of x, -x, y or -y in an image, got {skeleton.up_axis}")
    if skeleton.representation == "features":
        raise LayoutError(f"{skeleton.name}: expected joints of a body, got columns that are none: {_some(skeleton)}")
    if skeleton.representation not in ("positions", IMAGE) and not skeleton.offsets:
        raise LayoutError(f"{skeleton.name}: expected rotations with offsets from joint to joint, got them without")
    if twice := [joint for joint, count in Counter(skeleton.joints).items() if count > 1]:
        raise LayoutError(f"{skeleton.name}: expected a name for each joint, got several named {', '.join(twice[:6])}")
    if len(skeleton.joints) > MOST_JOINTS:
        got = len(skeleton.joints)
        raise LayoutError(f"{skeleton.name}: expected a body among at most {MOST_JOINTS} joints, got {got}")
    convention, found = find_joints(skeleton.joints)
    sides = [f"{side}_{part}" for part in NEEDED for side in ("left", "right")]
    lost = [joint for joint in sides if joint not in found]
    if lost:
        raise LayoutError(
            f"{skeleton.name}: expected a body with {', '.join(sides)}, "
            f"found no {', '.join(lost)} among its joints: {_some(skeleton)}"
        )
    return Mapping(skeleton, convention, tuple(found.get(joint, ()) for joint in SEEN))


def _describe(sums: Sequence[Sum]) -> str:
    if not sums:
        return NOT_THERE
    words = [" + ".join(joint if weight == 1 else f"{weight:g} {joint}" for joint, weight in terms) for terms in sums]
    return ", else ".join(words)


def _some(skeleton: Skeleton) -> str:
    shown = ", ".join(skeleton.joints[:40])
    return shown if len(skeleton.joints) <= 40 else f"{shown}, and {len(skeleton.joints) - 40} more"


def mapped(recording: Recording) -> Recording:
    """A recording of any skeleton that find_mapping takes as one of BODY or BODY2D. Raises RecordingError."""
    try:
        mapping = find_mapping(recording.skeleton)
    except LayoutError as error:
        raise RecordingError(f"{recording.name}: {error}") from error
    frames, confidences = recording.frames, recording.confidences
    pieces = [slice(at, at + PIECE) for at in range(0, len(frames), PIECE)]
    frames = np.concatenate(
        [mapping.apply(frames[piece], None if confidences is None else confidences[piece]) for piece in pieces]
    )
    if not np.isfinite(frames[:, :-1]).any():
        raise RecordingError(f"{recording.name}: expected somebody, but no joint of a body was seen in any frame")
    skeleton = replace(mapping.body, rate_hz=recording.skeleton.rate_hz)
    return Recording(recording.name, frames, recording.timestamps_us, skeleton, recording.notes)
