"""The first part of a C3D file: its header and its parameters, which say how the frames are stored and named.

Bytes go in. Numbers are stored as Intel, DEC or MIPS processors had them. What the parameters mean is c3d.py's matter.
"""

import struct
from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from pathlib import Path

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.text import decode

BLOCK = 512
"""Bytes; places in the file are given in these, counted from 1."""
_KEY = 0x50
_INTEL, _DEC, _MIPS = 84, 85, 86
_CHARACTERS = -1
_BYTES = {_CHARACTERS: 1, 1: 1, 2: 2, 4: 4}
"""Of a character or a number, by how the file calls its kind."""


@dataclass(frozen=True)
class Numbers:
    """How a processor stores numbers."""

    order: str
    """"<" or ">"."""
    dec: bool = False

    def read(self, raw: bytes, size: int) -> Array:
        """Bytes to int8, int16 or float32 numbers of 1, 2 or 4 bytes, as float64."""
        if size < 4:
            return np.frombuffer(raw, f"{self.order}i{size}").astype(np.float64)
        with np.errstate(invalid="ignore"):  # of bytes that are no number
            if not self.dec:
                return np.frombuffer(raw, f"{self.order}f4").astype(np.float64)
            # a DEC float has its halves exchanged, and its exponent counts from 2 more
            halves = np.frombuffer(raw, "<u2").reshape(-1, 2)[:, ::-1]
            return np.ascontiguousarray(halves).view("<f4")[:, 0].astype(np.float64) / 4


@dataclass(frozen=True)
class Parameter:
    """A named value: numbers, or texts of one length."""

    size: int
    """Bytes a number, -1 for texts."""
    shape: tuple[int, ...]
    raw: bytes
    stored: Numbers
    place: str

    @cached_property
    def numbers(self) -> list[float]:
        """All of them; none where it holds text."""
        return [] if self.size == _CHARACTERS else self.stored.read(self.raw, self.size).tolist()

    @cached_property
    def texts(self) -> list[str]:
        """All of them, without space at the end; none where it holds numbers."""
        if self.size != _CHARACTERS or not self.raw:
            return []
        length = self.shape[0] if self.shape else 1
        cells = (self.raw[start : start + length] for start in range(0, len(self.raw), length))
        return [decode(cell.split(b"\0")[0], self.place).strip() for cell in cells]


@dataclass(frozen=True)
class Header:
    """What the file says about its frames."""

    stored: Numbers
    points: int
    analog: int
    """Numbers of other instruments after the points of a frame."""
    frames: int
    scale: float
    """Units in one step of an integer; negative where points are stored as float32."""
    data: int
    """The byte where frames begin."""
    rate_hz: float
    parameters: dict[str, Parameter] = field(repr=False)
    """By `GROUP:NAME`, in capitals."""

    def numbers(self, name: str) -> list[float]:
        """Those of a parameter, none where it is absent."""
        return self.parameters[name].numbers if name in self.parameters else []

    def texts(self, name: str) -> list[str]:
        """Those of a parameter, none where it is absent."""
        return self.parameters[name].texts if name in self.parameters else []


def read_header(content: bytes, path: Path) -> Header:
    """Raises RecordingError for bytes that are no C3D file, or end before the parameters do."""
    start = (content[0] - 1) * BLOCK if content else 0
    if len(content) < BLOCK or content[1] != _KEY or start < BLOCK or len(content) < start + 4:
        raise RecordingError(
            f"{path}: expected a C3D file, with header and parameters, got {len(content)} bytes of other"
        )
    processor = content[start + 3]
    if processor not in (_INTEL, _DEC, _MIPS):
        raise RecordingError(f"{path}: expected numbers of an Intel, DEC or MIPS processor (84..86), got {processor}")
    stored = Numbers(">" if processor == _MIPS else "<", processor == _DEC)
    points, analog, first, last = struct.unpack_from(f"{stored.order}4H", content, 2)
    (data,) = struct.unpack_from(f"{stored.order}H", content, 16)
    scale, rate = (stored.read(content[at : at + 4], 4).item() for at in (12, 20))
    section = content[start : start + max(1, content[start + 2]) * BLOCK]
    parameters = _read_parameters(section, stored, str(path))
    return Header(stored, points, analog, last - first + 1, scale, (data - 1) * BLOCK, rate, parameters)


def _read_parameters(section: bytes, stored: Numbers, path: str) -> dict[str, Parameter]:
    """The records of the section: groups have negative numbers, their parameters the same positive ones."""
    groups: dict[int, str] = {}
    found: list[tuple[int, str, Parameter]] = []
    at = 4
    try:
        while at < len(section) and section[at]:
            length, group = struct.unpack_from("2b", section, at)  # a locked one has a negative length
            begin = at + 2 + abs(length)
            name = decode(section[at + 2 : begin], path).strip().upper()
            (step,) = struct.unpack_from(f"{stored.order}H", section, begin)
            at = begin + step
            if group < 0:
                groups[-group] = name
            else:
                parameter, end = _read_parameter(section, begin + 2, stored, f"{path}: {name}")
                if 0 < step < end - begin:  # records that overlap would be many and long
                    raise RecordingError(f"{path}: expected {end - begin} bytes of parameter {name}, got {step}")
                found.append((group, name, parameter))
            if not step:
                break
    except struct.error:
        raise RecordingError(f"{path}: expected whole parameters, got {len(section)} bytes of them") from None
    return {f"{groups.get(group, '')}:{name}": parameter for group, name, parameter in found}


def _read_parameter(section: bytes, at: int, stored: Numbers, place: str) -> tuple[Parameter, int]:
    """The parameter whose value begins at a byte of the section, and the byte where it ends."""
    size, count = struct.unpack_from("2b", section, at)
    if size not in _BYTES or not 0 <= count <= 7:
        raise RecordingError(
            f"{place}: expected text or numbers of 1, 2 or 4 bytes in 0 to 7 dimensions, got {size} in {count}"
        )
    shape = struct.unpack_from(f"{count}B", section, at + 2)
    begin = at + 2 + count
    end = begin + _BYTES[size] * prod(shape)
    if end > len(section):
        raise RecordingError(f"{place}: expected {end - begin} bytes, got {len(section) - begin}")
    return Parameter(size, shape, section[begin:end], stored, place), end
