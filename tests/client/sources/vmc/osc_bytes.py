"""Bytes of the Virtual Motion Capture protocol, made by hand from the specifications of OSC 1.0 and VMC."""

import struct
from collections.abc import Mapping, Sequence

Numbers = Sequence[float]
UPRIGHT = (0.0, 0.0, 0.0, 1.0)


def text(value: str) -> bytes:
    """Ends with one to four zeros, in multiples of four bytes."""
    raw = value.encode() + b"\0"
    return raw + b"\0" * (-len(raw) % 4)


def message(address: str, tags: str, arguments: bytes) -> bytes:
    return text(address) + text("," + tags) + arguments


def bundle(*elements: bytes) -> bytes:
    return b"#bundle\0" + bytes(7) + b"\1" + b"".join(struct.pack(">i", len(e)) + e for e in elements)


def time(seconds: float) -> bytes:
    return message("/VMC/Ext/T", "f", struct.pack(">f", seconds))


def ok() -> bytes:
    return message("/VMC/Ext/OK", "i", struct.pack(">i", 1))


def bone(name: str, place: Numbers, turn: Numbers = UPRIGHT) -> bytes:
    return message("/VMC/Ext/Bone/Pos", "sfffffff", text(name) + struct.pack(">7f", *place, *turn))


def root(place: Numbers, turn: Numbers = UPRIGHT) -> bytes:
    """As of version 2.1, with a scale and an offset."""
    numbers = struct.pack(">13f", *place, *turn, 1, 1, 1, 0, 0, 0)
    return message("/VMC/Ext/Root/Pos", "s" + "f" * 13, text("root") + numbers)


LOCAL: Mapping[str, Numbers] = {
    "Hips": (0, 1, 0),
    "LeftUpperLeg": (-0.1, 0, 0),
    "RightUpperLeg": (0.1, 0, 0),
    "LeftLowerLeg": (0, -0.4, 0),
    "RightLowerLeg": (0, -0.4, 0),
    "LeftFoot": (0, -0.4, 0),
    "RightFoot": (0, -0.4, 0),
    "Spine": (0, 0.2, 0),
    "Neck": (0, 0.3, 0),
    "Head": (0, 0.1, 0),
    "LeftUpperArm": (-0.2, 0.25, 0),
    "RightUpperArm": (0.2, 0.25, 0),
    "LeftLowerArm": (-0.3, 0, 0),
    "RightLowerArm": (0.3, 0, 0),
}
"""A body with its arms spread, without chest and shoulders."""
PLACES = {
    "Hips": (0, 1, 0),
    "LeftUpperLeg": (-0.1, 1, 0),
    "RightUpperLeg": (0.1, 1, 0),
    "LeftLowerLeg": (-0.1, 0.6, 0),
    "RightLowerLeg": (0.1, 0.6, 0),
    "LeftFoot": (-0.1, 0.2, 0),
    "RightFoot": (0.1, 0.2, 0),
    "Spine": (0, 1.2, 0),
    "Neck": (0, 1.5, 0),
    "Head": (0, 1.6, 0),
    "LeftUpperArm": (-0.2, 1.45, 0),
    "RightUpperArm": (0.2, 1.45, 0),
    "LeftLowerArm": (-0.5, 1.45, 0),
    "RightLowerArm": (0.5, 1.45, 0),
}
"""Where its joints are."""


def bones(local: Mapping[str, Numbers] = LOCAL) -> list[bytes]:
    return [bone(name, place) for name, place in local.items()]
