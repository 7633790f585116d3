"""Packets of the real-time server of Qualisys Track Manager (QTM), protocol 1.21 and later, to values. Little endian.

A packet is its size u32, with these eight bytes, its kind u32, and content. Commands, errors and XML are texts that end
with a zero, an event is one byte. Data are the time i64 in microseconds, the frame's number u32, a count of components
u32, and of each its size u32, with these eight bytes, its kind u32, and content: of labelled markers a count u32, two
u16, then x y z f32 of each; of skeletons a count u32, and of each a count of segments u32 and these, as in SEGMENT.

Facts are from the "QTM Real-Time Server Protocol Documentation" that Qualisys publishes. What is damaged raises
ValueError; a packet is at most LARGEST bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray


class Kind(IntEnum):
    """What a packet is."""

    ERROR = 0
    COMMAND = 1
    XML = 2
    DATA = 3
    NO_MORE_DATA = 4
    EVENT = 6


HEADER = struct.Struct("<II")
DATA = struct.Struct("<qII")
MARKERS, SKELETONS = 1, 18
"""Kinds of components."""
SEGMENT = np.dtype([("id", "<u4"), ("place", "<f4", 3), ("turn", "<f4", 4)])
"""Place in millimetres, rotation as x y z w; NaN where it is not known."""
LARGEST = 1 << 22
UP_AXES = {f"{sign}{axis.upper()}": f"{'-' * (sign == '-')}{axis}" for sign in "+-" for axis in "xyz"}
"""As QTM and as we spell them."""


@dataclass
class Skeleton:
    """Segments, parents before their children."""

    name: str
    joints: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)


@dataclass
class Parameters:
    """What is sent: of markers and skeletons the names, in the order of the data."""

    up_axis: str = "z"
    markers: list[str] = field(default_factory=list)
    skeletons: list[Skeleton] = field(default_factory=list)


@dataclass(frozen=True, eq=False)
class Data:
    """One frame."""

    time_us: int
    markers: NDArray[np.float32] | None
    """(M, 3) millimetres, NaN where one is not seen; None where they are not sent."""
    skeletons: list[NDArray[np.void]] | None
    """Of each (J,) of SEGMENT, J is 0 where it is not tracked; None where they are not sent."""


class Packets:
    """Bytes of a connection, put together to packets."""

    def __init__(self) -> None:
        self._rest = bytearray()

    @property
    def incomplete(self) -> bool:
        """A packet has begun."""
        return bool(self._rest)

    def take(self, came: bytes) -> Iterator[tuple[int, bytes]]:
        """Kind and content of each packet that is complete now. Raises ValueError where no packet can begin."""
        self._rest += came
        while len(self._rest) >= HEADER.size:
            size, kind = HEADER.unpack_from(self._rest)
            if not HEADER.size <= size <= LARGEST or kind >= 16:
                raise ValueError(f"expected a packet of QTM, got one of kind {kind} with {size} bytes")
            if len(self._rest) < size:
                return
            content = bytes(self._rest[HEADER.size : size])
            del self._rest[:size]
            yield kind, content


def pack(kind: Kind, content: bytes = b"") -> bytes:
    """A packet."""
    return HEADER.pack(HEADER.size + len(content), kind) + content


def text(kind: Kind, words: str) -> bytes:
    """A packet of text."""
    return pack(kind, words.encode() + b"\0")


def read_data(content: bytes) -> Data:
    """The content of DATA. Components of other kinds are passed over."""
    try:
        time_us, _, count = DATA.unpack_from(content)
        at, markers, skeletons = DATA.size, None, None
        for _ in range(count):
            size, kind = HEADER.unpack_from(content, at)
            if not HEADER.size <= size <= len(content) - at:
                raise ValueError(f"expected a component, got one of {size} bytes")
            component, at = content[at + HEADER.size : at + size], at + size
            if kind == MARKERS:
                (many,) = struct.unpack_from("<I", component)
                markers = np.frombuffer(component, "<f4", 3 * many, 8).reshape(-1, 3)
            elif kind == SKELETONS:
                skeletons = _read_skeletons(component)
    except struct.error as error:
        raise ValueError(str(error)) from error
    return Data(time_us, markers, skeletons)


def _read_skeletons(component: bytes) -> list[NDArray[np.void]]:
    (many,) = struct.unpack_from("<I", component)
    at, skeletons = 4, []
    for _ in range(many):
        (count,) = struct.unpack_from("<I", component, at)
        skeletons.append(np.frombuffer(component, SEGMENT, count, at + 4) if count else np.empty(0, SEGMENT))
        at += 4 + count * SEGMENT.itemsize
    return skeletons


def read_parameters(content: bytes) -> Parameters:
    """The content of XML, as GetParameters is answered for 3D and Skeleton."""
    found = Parameters()
    within: list[str] = []
    segments: list[int] = []
    words: list[str] = []

    def begin(element: str, attributes: dict[str, str]) -> None:
        within.append(element)
        words.clear()
        if element == "Skeleton":
            found.skeletons.append(Skeleton(attributes.get("Name", "")))
        elif element == "Segment" and found.skeletons:
            skeleton = found.skeletons[-1]
            skeleton.parents.append(segments[-1] if segments else -1)
            segments.append(len(skeleton.joints))
            skeleton.joints.append(attributes.get("Name", ""))

    def end(element: str) -> None:
        said = "".join(words).strip()
        words.clear()
        within.pop()
        if element == "Segment" and segments:
            segments.pop()
        elif element == "AxisUpwards":
            found.up_axis = UP_AXES.get(said.upper(), found.up_axis)
        elif element == "Name" and within[-2:] == ["The_3D", "Label"]:
            found.markers.append(said)

    def refuse(*declared: object) -> None:
        raise ValueError("expected XML without a document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = words.append
    parser.StartDoctypeDeclHandler = refuse  # with one a small text could unfold into a large one
    try:
        parser.Parse(content.rstrip(b"\0"), True)
    except expat.ExpatError as error:
        raise ValueError(str(error)) from error
    return found
