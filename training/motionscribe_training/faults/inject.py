"""Puts a fault into a recording of anybody.

A recording, a kind and a span of frames go in; a copy with the fault in that span, and the joints at fault, come out.
Skeletons are those of a body, as exponential maps, places (`positions`) or the canonical `body`; only a frozen feed may
be of anything. What a fault leaves open is drawn from a generator.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.faults import limp_share, tremor_degrees
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.errors import TrainingError
from motionscribe_training.faults.anatomy import Limb
from motionscribe_training.faults.channels import Channels
from motionscribe_training.faults.kind import LIMB_KINDS, Kind, kind_of
from motionscribe_training.faults.places import Places
from motionscribe_training.faults.rotations import Rotations

DRIFT_DEG, JUMP_DEG = 40.0, 30.0
"""How far a joint drifts until the end of the fault, and how far it jumps. Others: motionscribe_models/faults.py."""

CHANNELS: dict[str, Callable[[Skeleton], Channels]] = {"expmap": Rotations, "positions": Places, "body": Places}
"""By representation."""


@dataclass(frozen=True)
class Injected:
    """A recording with a fault in the half-open span [start, end) of its frames, counted from 0."""

    recording: Recording
    start: int
    end: int
    joints: tuple[str, ...]
    """Joints whose numbers are wrong, the most to blame first; all joints of a frozen feed."""


def inject(
    recording: Recording, kind: Kind, start: int, end: int, rng: np.random.Generator, joint: str | None = None
) -> Injected:
    """A copy with a fault in [start, end), of `joint` or of one that is drawn; equal arguments give equal frames.

    `joint` is one of candidates(recording.skeleton, kind): the joint that turns or is lost, or with which the limb
    begins. Raises TrainingError for a kind, joint or span that is not possible, and for a skeleton that is no body.
    """
    kind, skeleton = kind_of(kind), recording.skeleton
    if not 0 <= start < end <= len(recording.frames):
        raise TrainingError(
            f"{recording.name}: expected a span of frames in 0 to {len(recording.frames)}, got {start} to {end}"
        )
    frames = recording.frames.copy()
    if kind is Kind.FROZEN_FEED:
        if joint is not None:
            raise TrainingError(f"expected no joint for {kind}, which stops all of them, got {joint!r}")
        frames[start:end] = frames[start]
        joints = skeleton.joints
    else:
        channels, possible = channels_of(skeleton), candidates(skeleton, kind)
        joint = str(rng.choice(possible)) if joint is None else joint
        if joint not in possible:
            raise TrainingError(f"{skeleton.name}: expected a joint for {kind} of {', '.join(possible)}, got {joint!r}")
        part = frames[start:end].astype(np.float64)
        faulty = _apply(channels, kind, part, skeleton.joints.index(joint), skeleton.rate_hz, rng)
        frames[start:end] = part
        joints = tuple(skeleton.joints[at] for at in faulty)
    return Injected(replace(recording, name=f"{recording.name} {kind}", frames=frames), start, end, joints)


def channels_of(skeleton: Skeleton) -> Channels:
    """Raises TrainingError for a representation or a body that faults cannot be put into."""
    if skeleton.representation not in CHANNELS:
        known = ", ".join(CHANNELS)
        raise TrainingError(f"{skeleton.name}: expected a representation of {known}, got {skeleton.representation}")
    return CHANNELS[skeleton.representation](skeleton)


def candidates(skeleton: Skeleton, kind: Kind) -> tuple[str, ...]:
    """Joints that a fault of a kind may begin with; none for a frozen feed. Raises TrainingError."""
    kind = kind_of(kind)
    if kind is Kind.FROZEN_FEED:
        return ()
    channels = channels_of(skeleton)
    if kind is Kind.ZEROS and isinstance(channels, Rotations):
        raise TrainingError(f"{skeleton.name}: expected places for {kind}, got rotations: take {Kind.DROPOUT}")
    if kind in LIMB_KINDS:
        limbs = [limb for limb in channels.anatomy.limbs if limb.part == "leg" or kind is not Kind.LIMP]
        joints = tuple(channels.first(limb) for limb in limbs)
    else:
        joints = channels.losable() if kind in (Kind.DROPOUT, Kind.ZEROS) else channels.turning()
    return tuple(skeleton.joints[joint] for joint in joints)


def limb_of(channels: Channels, joint: int) -> Limb:
    """The limb that is named by a joint."""
    return next(limb for limb in channels.anatomy.limbs if channels.first(limb) == joint)


def _apply(
    channels: Channels, kind: Kind, part: Array, joint: int, rate_hz: float, rng: np.random.Generator
) -> tuple[int, ...]:
    """Changes `part` (n, D), the frames of the fault; returns the joints at fault."""
    if kind is Kind.SWAP:
        own = limb_of(channels, joint)
        pair = [channels.whole(limb) for limb in channels.anatomy.limbs if limb.part == own.part]
        numbers = channels.numbers(part)
        numbers[:, pair[0] + pair[1]] = numbers[:, pair[1] + pair[0]]
        return tuple(at for both in zip(*pair, strict=True) for at in both)
    if kind in (Kind.FREEZE, Kind.LIMP):
        joints = channels.moving(limb_of(channels, joint))
        if kind is Kind.FREEZE:
            channels.bend(part, joints, lambda motion: motion[0], np.ones(len(part)))
        else:
            channels.bend(part, joints, lambda motion: motion.mean(axis=0), limp_share(len(part), rate_hz))
        return joints
    if kind in (Kind.DROPOUT, Kind.ZEROS):
        lost = np.nan if kind is Kind.DROPOUT and isinstance(channels, Places) else 0.0
        channels.numbers(part)[:, joint] = lost
        return (joint,)
    axis = rng.normal(size=3)
    degrees = _degrees(kind, len(part), rate_hz)
    channels.turn(part, joint, np.outer(np.radians(degrees), axis / np.linalg.norm(axis)))
    return channels.turned_by(joint)


def _degrees(kind: Kind, count: int, rate_hz: float) -> Array:
    """By how much a joint is turned in each of `count` frames."""
    if kind is Kind.DRIFT:
        return DRIFT_DEG * np.arange(1, count + 1) / count
    if kind is Kind.JUMP:
        return np.full(count, JUMP_DEG)
    return tremor_degrees(count, rate_hz)
