"""A packet of the Virtual Motion Capture protocol to what it says of a body. Pure.

Messages, by https://protocol.vmc.info/english (version 3.1):

    /VMC/Ext/T         time:float                                          seconds of the sender's clock
    /VMC/Ext/Root/Pos  name:string p.x p.y p.z q.x q.y q.z q.w:float ...   the model in the world
    /VMC/Ext/Bone/Pos  name:string p.x p.y p.z q.x q.y q.z q.w:float       a bone, relative to its parent

Places are metres, rotations unit quaternions, axes Unity's. What version 2.1 adds to the root (a scale and an offset
for mixed reality) is not the body's. All other messages are passed over.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from motionscribe.sources.vmc.bones import HERE, PARENTS, Transform
from motionscribe.sources.vmc.osc import OscDecoder, OscError

TIME, ROOT, BONE = "/VMC/Ext/T", "/VMC/Ext/Root/Pos", "/VMC/Ext/Bone/Pos"
LATEST_S = 1e12
"""A later time, or one so long before zero, is none."""


@dataclass
class Packet:
    """What one datagram says, in whichever order; of what it says twice the last."""

    time_us: int | None = None
    """By the sender's clock; None where it does not say."""
    root: Transform | None = None
    bones: dict[str, Transform] = field(default_factory=dict)
    """Those that PARENTS knows."""


class PacketReader:
    """Reads datagrams. Raises MissingExtraError."""

    def __init__(self) -> None:
        self._decoder = OscDecoder((TIME, ROOT, BONE))

    def read(self, datagram: bytes) -> Packet:
        """Raises OscError for what is damaged or no OSC."""
        packet = Packet()
        for address, arguments in self._decoder.messages(datagram):
            if address == TIME:
                packet.time_us = _time(arguments)
                continue
            name, transform = _transform(arguments)
            if address == ROOT:
                packet.root = transform
            elif name in PARENTS:
                packet.bones[name] = transform
        return packet


def _time(arguments: Sequence[Any]) -> int:
    match arguments:
        case [int() | float() as seconds] if math.isfinite(seconds) and abs(seconds) < LATEST_S:
            return round(seconds * 1e6)
    raise OscError(f"expected a time in seconds, got {arguments!r}")


def _transform(arguments: Sequence[Any]) -> tuple[str, Transform]:
    name, *numbers = arguments or [None]
    transform = tuple(numbers[: len(HERE)])
    if isinstance(name, str) and len(transform) == len(HERE) and all(isinstance(n, int | float) for n in transform):
        return name, transform
    raise OscError(f"expected a name, a place and a quaternion, got {arguments!r}")
