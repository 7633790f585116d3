"""Packets of NatNet made by hand, from the layout that NaturalPoint publishes, for versions 3.0 to 4.2."""

import struct
from collections.abc import Sequence

Bone = tuple[str, int, tuple[float, float, float]]
"""Name, number of the parent (from 1, 0 for none), offset."""
Place = tuple[float, float, float]
Turn = tuple[float, float, float, float]
UNTURNED = (0.0, 0.0, 0.0, 1.0)


def packet(message: int, content: bytes) -> bytes:
    return struct.pack("<HH", message, len(content)) + content


def text(words: str) -> bytes:
    return words.encode() + b"\0"


def server_info(version: tuple[int, int], port: int = 1511, group: str = "") -> bytes:
    name = b"Motive".ljust(256, b"\0") + bytes([3, 1, 0, 0, *version, 0, 0])
    address = bytes(map(int, (group or "0.0.0.0").split(".")))
    return packet(1, name + struct.pack("<QHB", 10_000_000, port, bool(group)) + address)


def definition(version: tuple[int, int], kind: int, content: bytes) -> bytes:
    size = struct.pack("<I", len(content)) if version >= (4, 1) else b""
    return struct.pack("<I", kind) + size + content


def bone(version: tuple[int, int], name: str, number: int, parent: int, offset: Place, markers: int = 0) -> bytes:
    content = text(name) + struct.pack("<II3f", number, parent, *offset)
    content += struct.pack("<4f", *UNTURNED) if version >= (4, 2) else b""
    content += struct.pack("<I", markers) + bytes(12 * markers) + bytes(4 * markers)
    return content + (b"m\0" * markers if version >= (4, 0) else b"")


def skeleton(version: tuple[int, int], name: str, number: int, bones: Sequence[Bone]) -> bytes:
    content = text(name) + struct.pack("<II", number, len(bones))
    for n, (joint, parent, offset) in enumerate(bones, 1):
        content += bone(version, joint, n, parent, offset, markers=n % 3)
    return definition(version, 2, content)


def marker_set(version: tuple[int, int], name: str, markers: Sequence[str]) -> bytes:
    return definition(version, 0, text(name) + struct.pack("<I", len(markers)) + b"".join(map(text, markers)))


def definitions(*all: bytes) -> bytes:
    return packet(5, struct.pack("<I", len(all)) + b"".join(all))


def tracked(place: Place, turn: Turn = UNTURNED, flags: int = 1) -> bytes:
    return struct.pack("<I3f4ffH", 65537, *place, *turn, 0.001, flags)


def frame(
    version: tuple[int, int],
    seconds: float,
    skeletons: dict[int, list[bytes]] | None = None,
    sets: dict[str, list[Place]] | None = None,
    flags: int = 0,
) -> bytes:
    """With things in it that nobody wants: a marker, a rigid body, a labelled marker, a force plate, a device."""

    def section(*entries: bytes) -> bytes:
        size = struct.pack("<I", sum(map(len, entries))) if version >= (4, 1) else b""
        return struct.pack("<I", len(entries)) + size + b"".join(entries)

    channels = struct.pack("<III2f", 1, 1, 2, 0.5, 0.25)
    content = struct.pack("<i", 7)
    named = [
        text(name) + struct.pack("<I", len(places)) + b"".join(struct.pack("<3f", *one) for one in places)
        for name, places in (sets or {}).items()
    ]
    content += section(*named)
    content += section(struct.pack("<3f", 1, 2, 3)) + section(tracked((1.0, 2.0, 3.0)))
    people = [struct.pack("<II", number, len(bones)) + b"".join(bones) for number, bones in (skeletons or {}).items()]
    content += section(*people)
    content += section(struct.pack("<III", 4, 0, 0)) if version >= (4, 1) else b""
    content += section(bytes(26)) + section(channels) + section(channels)
    content += struct.pack("<IId3Q", 0, 0, seconds, 1, 2, 3) + (bytes(8) if version >= (4, 1) else b"")
    return packet(7, content + struct.pack("<HI", flags, 0))
