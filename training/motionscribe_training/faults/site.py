"""Where in a recording a fault can be seen: a limb that hardly moves cannot be seen to freeze."""

from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.faults import LEAST_SPREAD_DEG
from motionscribe_models.recordings import Recording
from motionscribe_training.errors import TrainingError
from motionscribe_training.faults.channels import Channels
from motionscribe_training.faults.inject import candidates, channels_of, limb_of
from motionscribe_training.faults.kind import LIMB_KINDS, Kind, kind_of

TRIES = 200


@dataclass(frozen=True)
class Site:
    """Frames [start, end), counted from 0, and the joint to give to `inject`: None for a frozen feed."""

    start: int
    end: int
    joint: str | None


def find_site(
    recording: Recording,
    kind: Kind,
    length: int,
    rng: np.random.Generator,
    earliest: int = 0,
    latest: int | None = None,
) -> Site | None:
    """A span of `length` frames within [earliest, latest) and a joint whose fault is visible there.

    None where there is no room, or where nothing visible was found in 200 tries. Raises TrainingError for a length,
    kind or skeleton that is not possible.
    """
    kind, end = kind_of(kind), len(recording.frames) if latest is None else min(latest, len(recording.frames))
    if length < 1 or earliest < 0:
        raise TrainingError(f"expected a length from 1 on and frames from 0 on, got {length} frames from {earliest} on")
    starts = earliest, end - length + 1
    if starts[0] >= starts[1]:
        return None
    if kind is Kind.FROZEN_FEED:
        start = int(rng.integers(*starts))
        return Site(start, start + length, None)
    channels, possible = channels_of(recording.skeleton), candidates(recording.skeleton, kind)
    for _ in range(TRIES):
        start = int(rng.integers(*starts))
        joint = str(rng.choice(possible))
        part = recording.frames[start : start + length].astype(np.float64)
        if _is_visible(channels, kind, part, recording.skeleton.joints.index(joint)):
            return Site(start, start + length, joint)
    return None


def _is_visible(channels: Channels, kind: Kind, part: Array, joint: int) -> bool:
    if kind in (Kind.DROPOUT, Kind.ZEROS):
        return channels.shows_loss(part, joint)
    if kind not in LIMB_KINDS:
        return channels.known(part, (joint, *channels.turned_by(joint)))
    own = limb_of(channels, joint)
    pair = [limb for limb in channels.anatomy.limbs if limb.part == own.part]
    if not channels.known(part, tuple(at for limb in pair for at in channels.whole(limb))):
        return False
    return kind is Kind.SWAP or channels.spread(part, channels.moving(own)[:2]) >= LEAST_SPREAD_DEG
