"""Packets of OptiTrack's NatNet, versions 3 and 4, to values. Little endian throughout.

A packet is message u16, size u16, then `size` bytes. A frame is its number i32, then sections: a count u32, from 4.1 on
the bytes that follow u32, and so many entries: marker sets, other markers, rigid bodies, skeletons, from 4.1 on assets,
then labelled markers, force plates, devices. At its end are timecode u32 u32, the time in seconds f64, three counters
u64, from 4.1 on two more u32, flags u16 and four bytes. Texts end with a zero.

Facts are from the layout that NaturalPoint publishes with the NatNet SDK (PacketClient, PythonClient;
https://docs.optitrack.com/developer-tools/natnet-sdk). What is damaged raises ValueError, and no count is believed
that the packet has no room for.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array

Version = tuple[int, int]


class Message(IntEnum):
    """What a packet is."""

    CONNECT = 0
    SERVER_INFO = 1
    REQUEST = 2
    RESPONSE = 3
    REQUEST_DEFINITIONS = 4
    DEFINITIONS = 5
    FRAME = 7
    KEEP_ALIVE = 10
    UNRECOGNIZED = 100


HEADER = struct.Struct("<HH")
SERVER_INFO = struct.Struct("<256s4B4B")
"""Name, version of the program, version of NatNet; from version 3 on WAYS follow."""
WAYS = struct.Struct("<QHB4B")
"""Ticks of its counters in a second, port for frames, whether these are multicast, and to which group."""
GROUPS = 224, 239
"""What the address of a multicast group begins with."""
CONNECT = b"Ping".ljust(270, b"\0")
"""Its end would ask for another version than the sender's own."""
BONE = np.dtype([("id", "<i4"), ("place", "<f4", 3), ("turn", "<f4", 4), ("error", "<f4"), ("flags", "<u2")])
"""Place in metres, rotation as x y z w; the lowest flag is set where the bone is tracked."""
TRACKED = 1
MODELS_CHANGED = 2
"""A flag of frames."""
LABELLED_MARKER = 26
"""Bytes before 4.1: id, place, size, flags, residual."""
MARKER_SET, RIGID_BODY, SKELETON = range(3)
"""Kinds of definitions; those after these are of things."""
_SECONDS = struct.Struct("<d")


@dataclass(frozen=True)
class ServerInfo:
    """What a sender says of itself."""

    version: Version
    group: tuple[str, int] | None
    """Where frames are multicast to; None where each client gets its own."""


@dataclass(frozen=True, eq=False)
class Bones:
    """What a skeleton is."""

    name: str
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    """Index of each bone's parent, which comes before it; -1 for a root."""
    offsets: Array
    """(J, 3) metres from the parent, in the pose that the sender calls rest."""


@dataclass(frozen=True)
class Definitions:
    """What the sender sends: names of markers by set, skeletons by number."""

    marker_sets: dict[str, tuple[str, ...]]
    skeletons: dict[int, Bones]


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment."""

    seconds: float
    models_changed: bool
    marker_sets: dict[str, NDArray[np.float32]]
    """(M, 3) metres by name."""
    skeletons: dict[int, NDArray[np.void]]
    """(J,) of BONE by number."""


def pack(message: Message, content: bytes = b"") -> bytes:
    """A packet."""
    return HEADER.pack(message, len(content)) + content


def unpack(packet: bytes) -> tuple[int, bytes]:
    """Message and content."""
    if len(packet) < HEADER.size:
        raise ValueError("expected a packet of NatNet")
    message, size = HEADER.unpack_from(packet)
    if len(packet) < HEADER.size + size:
        raise ValueError("expected a whole packet")
    return message, packet[HEADER.size : HEADER.size + size]


def read_server_info(content: bytes) -> ServerInfo:
    """The content of SERVER_INFO."""
    rest = _Content(content)
    major, minor = rest.read(SERVER_INFO)[5:7]
    if rest.left < WAYS.size:
        return ServerInfo((major, minor), None)
    _, port, multicast, *group = rest.read(WAYS)
    if multicast and not (GROUPS[0] <= group[0] <= GROUPS[1] and port):
        raise ValueError(f"expected a multicast group, got {group}:{port}")
    return ServerInfo((major, minor), (".".join(map(str, group)), port) if multicast else None)


def read_definitions(content: bytes, version: Version) -> Definitions:
    """The content of DEFINITIONS."""
    rest = _Content(content)
    found = Definitions({}, {})
    for _ in range(rest.count(4)):
        kind = rest.number()
        end = rest.end_of(rest.number()) if version >= (4, 1) else None
        if kind == MARKER_SET:
            name = rest.text()
            found.marker_sets[name] = tuple(rest.text() for _ in range(rest.count(1)))
        elif kind == RIGID_BODY:
            _read_bone(rest, version)
        elif kind == SKELETON:
            number, bones = _read_skeleton(rest, version)
            found.skeletons[number] = bones
        elif end is None:
            break  # things, of which each kind has another length, come last
        if end is not None:
            rest.at = end
    return found


def read_frame(content: bytes, version: Version) -> Frame:
    """The content of FRAME."""
    rest = _Content(content)
    rest.skip(4)
    marker_sets: dict[str, NDArray[np.float32]] = {}
    for _ in range(_section(rest, version, 5)):
        name = rest.text()
        marker_sets[name] = rest.array(np.dtype("<f4"), 3 * rest.count(12)).reshape(-1, 3)
    rest.skip(12 * _section(rest, version, 12))
    rest.skip(BONE.itemsize * _section(rest, version, BONE.itemsize))
    skeletons: dict[int, NDArray[np.void]] = {}
    for _ in range(_section(rest, version, 8)):
        number = rest.number()
        skeletons[number] = rest.array(BONE, rest.count(BONE.itemsize))
    if version >= (4, 1):
        for _ in ("assets", "labelled markers", "force plates", "devices"):
            rest.skip(4)
            rest.skip(rest.number())
    else:
        rest.skip(LABELLED_MARKER * rest.count(LABELLED_MARKER))
        for _ in ("force plates", "devices"):
            for _ in range(rest.count(8)):
                rest.skip(4)
                for _ in range(rest.count(4)):
                    rest.skip(4 * rest.count(4))
    rest.skip(8)
    (seconds,) = rest.read(_SECONDS)
    rest.skip(24)
    return Frame(seconds, bool(content[-6] & MODELS_CHANGED), marker_sets, skeletons)


def _section(rest: "_Content", version: Version, smallest: int) -> int:
    """Begins one: how many entries follow, of at least `smallest` bytes."""
    count = rest.number()
    if version >= (4, 1):
        rest.skip(4)
    rest.end_of(smallest * count)
    return count


def _read_skeleton(rest: "_Content", version: Version) -> tuple[int, Bones]:
    name = rest.text()
    number = rest.number()
    read = [_read_bone(rest, version) for _ in range(rest.count(24))]
    index = {id: place for place, (_, id, _, _) in enumerate(read)}
    parents = tuple(index.get(parent, -1) for _, _, parent, _ in read)
    if not read or any(parent >= place for place, parent in enumerate(parents)):
        raise ValueError("expected parents before their children")
    return number, Bones(name, tuple(bone[0] for bone in read), parents, np.array([bone[3] for bone in read]))


def _read_bone(rest: "_Content", version: Version) -> tuple[str, int, int, Array]:
    """Name, id, the parent's id, offset. The definition of a rigid body is the same."""
    name = rest.text()
    id, parent = rest.number(), rest.number()
    with np.errstate(invalid="ignore"):  # a NaN of the signalling kind
        offset = rest.array(np.dtype("<f4"), 3).astype(np.float64)
    rest.skip(16 if version >= (4, 2) else 0)
    markers = rest.count(16)
    rest.skip(16 * markers)
    if version >= (4, 0):
        for _ in range(markers):
            rest.text()
    return name, id, parent, offset


class _Content:
    """Bytes that are read from front to back."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    @property
    def left(self) -> int:
        return len(self._content) - self.at

    def end_of(self, size: int) -> int:
        """Where `size` more bytes end. Raises ValueError where there are fewer."""
        if size > self.left:
            raise ValueError(f"expected {size} more bytes, got {self.left}")
        return self.at + size

    def skip(self, size: int) -> None:
        self.at = self.end_of(size)

    def read(self, layout: struct.Struct) -> tuple[Any, ...]:
        start = self.at
        self.skip(layout.size)
        return layout.unpack_from(self._content, start)

    def number(self) -> int:
        start = self.at
        self.skip(4)
        return int.from_bytes(self._content[start : self.at], "little")

    def count(self, smallest: int) -> int:
        """How many entries of at least `smallest` bytes follow."""
        count = self.number()
        self.end_of(smallest * count)
        return count

    def array(self, kind: np.dtype[Any], count: int) -> NDArray[Any]:
        start = self.at
        self.skip(kind.itemsize * count)
        return np.frombuffer(self._content, kind, count, start)

    def text(self) -> str:
        end = self._content.find(b"\0", self.at)
        if end < 0:
            raise ValueError("expected a text that ends")
        start, self.at = self.at, end + 1
        return self._content[start:end].decode("utf-8", "replace")
