"""Why a segment has its label, as a server says it. Frozen values."""

from dataclasses import dataclass

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.weights import JointWeight, PartWeight


@dataclass(frozen=True)
class Explanation:
    """A margin is how much nearer a segment lies to its cluster than to the next; 1 is the width of a cluster."""

    segment: int
    cluster: int
    name: str
    """May be empty."""
    start_us: int
    end_us: int
    """Of the part of the segment that was looked at, its end where it is long."""
    margin: float | None
    """None where there is no other cluster."""
    other: int | None
    """The next cluster."""
    other_name: str
    joints: tuple[JointWeight, ...]
    """The weightiest first."""
    parts: tuple[PartWeight, ...]
    """In order of time."""


def explanation_from_message(message: pb.Explanation) -> Explanation:
    """Zeros that mean "none" become None."""
    return Explanation(
        segment=message.segment,
        cluster=message.cluster,
        name=message.name,
        start_us=message.start_us,
        end_us=message.end_us,
        margin=message.margin if message.other else None,
        other=message.other or None,
        other_name=message.other_name,
        joints=tuple(JointWeight(one.joint, one.weight, one.becomes) for one in message.joints),
        parts=tuple(PartWeight(one.start_us, one.end_us, one.weight, one.becomes) for one in message.parts),
    )
