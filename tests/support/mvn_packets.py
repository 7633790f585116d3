"""Datagrams of Xsens MVN, made by hand from its specification, byte after byte."""

import struct
from collections.abc import Sequence

SEGMENTS = 23
Places = Sequence[tuple[float, float, float]]


def standing(x: float = 0.0, scale: float = 1.0) -> list[tuple[float, float, float]]:
    """Places of 23 segments, the first at height 0, the last at 1.76 m; `scale` 100 for centimetres."""
    return [(x * scale, 0.25 * scale, 0.08 * n * scale) for n in range(SEGMENTS)]


def header(kind: bytes, sample: int, counter: int, items: int, time_ms: int, character: int, size: int) -> bytes:
    """24 bytes."""
    return b"".join(
        [
            b"MXTP",
            kind,
            sample.to_bytes(4, "big"),
            bytes([counter, items]),
            time_ms.to_bytes(4, "big"),
            bytes([character, SEGMENTS, 0, 0, 0, 0]),
            size.to_bytes(2, "big"),
        ]
    )


def quaternions(
    places: Places,
    *,
    sample: int = 0,
    time_ms: int = 0,
    character: int = 0,
    counter: int = 0x80,
    first_id: int = 1,
) -> bytes:
    """A datagram of type 02 with segments from `first_id` on; x, y and z with z up."""
    items = [
        (first_id + n).to_bytes(4, "big") + struct.pack(">7f", *place, 0.5, 0.5, -0.5, 0.5)
        for n, place in enumerate(places)
    ]
    return header(b"02", sample, counter, len(items), time_ms, character, 32 * len(items)) + b"".join(items)


def eulers(places: Places, *, sample: int = 0, time_ms: int = 0, character: int = 0) -> bytes:
    """A datagram of type 01; y up."""
    items = [(n + 1).to_bytes(4, "big") + struct.pack(">6f", *place, 10, 20, 30) for n, place in enumerate(places)]
    return header(b"01", sample, 0x80, len(items), time_ms, character, 28 * len(items)) + b"".join(items)
