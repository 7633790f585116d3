"""One datagram of Xsens MVN's network streamer: bytes to places of segments, and back.

Layout by the "MVN real-time network streaming Protocol Specification" (Xsens, MV0305P, revision N), all of it
big-endian. A header of 24 bytes:

    bytes  what
    0-5    `MXTP` and two digits, the message type
    6-9    sample counter, uint32: the same in all datagrams of one sample of one character
    10     datagram counter: index in the sample, the top bit set in its last datagram
    11     number of items
    12-15  time code, uint32: milliseconds since the measurement began
    16     character, from 0
    17-23  numbers of body segments, props and finger segments, two bytes of nothing, uint16 size of what follows;
           all 0 before MVN 2019

Then the items. Of both types that are read an item begins with the segment's id, int32 from 1, and its place x y z,
float32. In type 01 three Euler angles follow and y is up, in type 02 a quaternion w x y z and z is up. Body segments
have the ids 1 to 23, props and fingers higher ones, which are passed over.

The specification says that places are in centimetres, MVN's manual says metres, and programs that read the stream have
met both: `metres_of` tells by the size of the body.
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.moments import ANY_RATE_HZ
from motionscribe_models.recordings.places import METRE, places_skeleton
from motionscribe_models.skeleton import Skeleton

CHAINS = (
    "Pelvis L5 L3 T12 T8 Neck Head",
    "T8 RightShoulder RightUpperArm RightForeArm RightHand",
    "T8 LeftShoulder LeftUpperArm LeftForeArm LeftHand",
    "Pelvis RightUpperLeg RightLowerLeg RightFoot RightToe",
    "Pelvis LeftUpperLeg LeftLowerLeg LeftFoot LeftToe",
)
PARENTS: Final = {"Pelvis": ""} | {child: parent for chain in CHAINS for parent, child in pairwise(chain.split())}
"""Segment -> the one that it hangs on, in the order of their ids, which begin with 1. MVNX files have these names."""
SEGMENTS: Final = tuple(PARENTS)
LAST = 0x80
"""In the datagram counter."""
FARTHEST = 1e6
"""In either unit: what is farther away is damaged."""
LARGEST_M = 10.0
"""A body that is larger is in centimetres. No body of them is smaller."""
ENOUGH = len(SEGMENTS) // 2
"""So many segments show how large a body is."""
_HEADER = struct.Struct(">4s2sIBBIB7x")


@dataclass(frozen=True)
class Kind:
    """A message type with poses."""

    item: np.dtype[np.void]
    skeleton: Skeleton


def _kind(angles: int, up_axis: str) -> Kind:
    item = np.dtype([("segment", ">i4"), ("place", ">f4", 3), ("rotation", ">f4", angles)])
    parents = [SEGMENTS.index(parent) if parent else -1 for parent in PARENTS.values()]
    return Kind(item, places_skeleton("mvn", SEGMENTS, METRE, up_axis, ANY_RATE_HZ, parents))


KINDS: Final = {"01": _kind(3, "y"), "02": _kind(4, "z")}
QUATERNIONS = "02"


class NotMvn(ValueError):  # noqa: N818  it says what is wrong
    """Bytes that are no datagram of MVN, or not a whole one."""


@dataclass(frozen=True, eq=False)
class Part:
    """A datagram with segments of one character."""

    kind: str
    """A key of KINDS."""
    sample: int
    index: int
    is_last: bool
    time_ms: int
    character: int
    places: NDArray[np.float64]
    """(23, 3) in metres or centimetres, NaN for a segment that is not in it, or in no place."""


def decode(packet: bytes) -> Part | None:
    """None for a message of another type. Raises NotMvn."""
    if len(packet) < _HEADER.size:
        raise NotMvn(f"expected {_HEADER.size} bytes or more, got {len(packet)}")
    name, digits, sample, counter, items, time_ms, character = _HEADER.unpack_from(packet)
    if name != b"MXTP" or not digits.isdigit():
        raise NotMvn(f"expected MXTP and two digits, got {packet[:6]!r}")
    kind = digits.decode()
    if kind not in KINDS:
        return None
    dtype = KINDS[kind].item
    if len(packet) < _HEADER.size + items * dtype.itemsize:
        raise NotMvn(f"expected {items} items of {dtype.itemsize} bytes, got {len(packet) - _HEADER.size} bytes")
    read = np.frombuffer(packet, dtype, items, _HEADER.size)
    read = read[(read["segment"] >= 1) & (read["segment"] <= len(SEGMENTS))]
    places = np.full((len(SEGMENTS), 3), np.nan)
    with np.errstate(invalid="ignore"):  # some of the bytes that are no number are said to be an invalid one
        places[read["segment"] - 1] = read["place"]
    places[~(np.abs(places) < FARTHEST).all(axis=1)] = np.nan
    return Part(kind, sample, counter & ~LAST, bool(counter & LAST), time_ms, character, places)


def metres_of(places: NDArray[np.float64]) -> float | None:
    """How many metres the unit is in which a body (23, 3) is; None where too little of it was seen."""
    seen = places[~np.isnan(places).any(axis=1)]
    if len(seen) < ENOUGH:
        return None
    return 1.0 if np.ptp(seen, axis=0).max() <= LARGEST_M else 0.01


def encode(sample: int, time_ms: int, character: int, places: NDArray[np.floating]) -> bytes:
    """A whole sample of quaternions that turn nothing, (23, 3) metres, z up. Segments with NaN are left out."""
    seen = np.flatnonzero(~np.isnan(places).any(axis=1))
    items = np.zeros(len(seen), KINDS[QUATERNIONS].item)
    items["segment"], items["place"], items["rotation"][:, 0] = seen + 1, places[seen], 1
    payload = items.tobytes()
    header = struct.pack(">4s2sIBBIB", b"MXTP", b"02", sample % 2**32, LAST, len(seen), time_ms % 2**32, character)
    return header + struct.pack(">BBBxxH", len(seen), 0, 0, len(payload)) + payload
