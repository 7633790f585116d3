"""JSON that may be hostile: parsed with limits, and each field read as the one type that it must have.

In: bytes, or parsed values. Out: plain values, or a ValueError or ModelFolderError that says where they are wrong. It
does not know which fields a manifest has.
"""

import json
import math
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, TypeVar

from motionscribe_models.errors import ModelFolderError

V = TypeVar("V")

MAX_DEPTH = 32  # of lists and objects inside each other
FEW = 8  # keys that an error names


def parse_json(raw: bytes) -> object:
    """UTF-8 JSON with each key once and finite numbers. Raises ValueError, and RecursionError for absurd nesting."""
    value = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_finite, parse_float=_finite)
    _check_depth(value)
    return value


@dataclass(frozen=True)
class JsonObject:
    """The fields of a JSON object; all methods raise ModelFolderError, which names the field that is wrong."""

    file: str
    """For messages."""
    path: str
    """Where in the file the object is, as `variants.fp32`; empty for the whole of it."""
    fields: dict[str, Any]

    @classmethod
    def of(cls, file: str, value: object, path: str = "") -> "JsonObject":
        """A parsed value that must be an object."""
        return cls(file, path, _typed(value, f"{file}: {path or 'manifest'}", dict))

    def check_fields(self, wanted: Collection[str]) -> None:
        """Exactly the `wanted` fields must be there."""
        missing, unknown = sorted(set(wanted) - set(self.fields)), sorted(set(self.fields) - set(wanted))
        if missing or unknown:
            where = self.path or "manifest"
            raise ModelFolderError(f"{self.file}: {where}: missing fields {missing}, unknown fields {unknown}")

    def text(self, name: str) -> str:
        """A string."""
        return _typed(self.fields[name], self._where(name), str)

    def whole(self, name: str) -> int:
        """An integer."""
        return _typed(self.fields[name], self._where(name), int)

    def wholes(self, name: str) -> tuple[int, ...]:
        """A list of integers."""
        where = self._where(name)
        return tuple(_typed(value, where, int) for value in _typed(self.fields[name], where, list))

    def number(self, name: str) -> float:
        """An integer or a float."""
        value, where = self.fields[name], self._where(name)
        try:
            return float(_typed(value, where, int) if isinstance(value, int) else _typed(value, where, float))
        except OverflowError as error:
            raise ModelFolderError(f"{where}: expected a float64, got {error}") from error

    def inner(self, name: str) -> "JsonObject":
        """An object inside this one."""
        return JsonObject.of(self.file, self.fields[name], f"{self.path}.{name}" if self.path else name)

    def _where(self, name: str) -> str:
        return f"{self.file}: {self.path}.{name}" if self.path else f"{self.file}: {name}"


def _typed(value: object, where: str, kind: type[V]) -> V:
    # bool is an int to Python, not to us
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ModelFolderError(f"{where}: expected {kind.__name__}, got {type(value).__name__}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object's fields. Where a key comes twice, two readers may see two manifests."""
    table = dict(pairs)
    if len(table) < len(pairs):
        again = sorted(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        raise ValueError(f"expected each key once, got {again[:FEW]} again")
    return table


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"expected finite numbers, got {text}")
    return value


def _check_depth(value: object) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        nested = [part for part in level if isinstance(part, dict | list)]
        level = [child for part in nested for child in (part.values() if isinstance(part, dict) else part)]
        if not level:
            return
    raise ValueError(f"expected at most {MAX_DEPTH} lists and objects in each other, got more")
