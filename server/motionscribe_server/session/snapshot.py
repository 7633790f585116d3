"""A session as bytes, and back: everything it learnt, to the bit, without pickle.

In: a Session and its encoder states. Out: an npz archive of arrays and one JSON tree that says how plain values,
containers and objects of this project hold them. What the model folder holds is referred to by name, not copied. Only
classes of this project are made again: bytes of another program, of another version or with a flipped bit are refused
with SnapshotError.
"""

import hashlib
import importlib
import io
import json
from collections import deque
from collections.abc import Callable
from importlib.metadata import version
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from motionscribe_server.errors import SnapshotError
from motionscribe_server.session.anomaly.rolling_quantiles import RollingQuantiles
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session

FORMAT = f"motionscribe {version('motionscribe')} snapshot 1"
PACKAGES = ("motionscribe_server.", "motionscribe_models.", "motionscribe_proto.")
DIGEST = 32
PLAIN = (bool, int, float, str, type(None))


def save(session: Session, state: NDArray[np.float32]) -> bytes:
    """Raises SnapshotError for a session with a part that cannot be kept."""
    encoder = _Encoder(session.model)
    tree = {"format": FORMAT, "model": session.model.key, "session": encoder.encode(session)}
    buffer = io.BytesIO()
    arrays = {str(number): array for number, array in enumerate(encoder.arrays)}
    text = np.frombuffer(json.dumps(tree).encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, tree=text, state=state, **arrays)
    data = buffer.getvalue()
    return hashlib.sha256(data).digest() + data


def load(data: bytes, model: ServedModel) -> tuple[Session, NDArray[np.float32]]:
    """The session of `model` and its encoder states. Raises SnapshotError."""
    digest, body = data[:DIGEST], data[DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        raise SnapshotError(f"expected a whole snapshot, got {len(data)} bytes that are not what was written")
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            tree = json.loads(archive["tree"].tobytes())
            found = {name: tree[name] for name in ("format", "model")}
            wanted = {"format": FORMAT, "model": model.key}
            if found != wanted:
                raise SnapshotError(f"expected a snapshot of {wanted}, got one of {found}")
            decoder = _Decoder(model, lambda number: archive[str(number)])
            session = decoder.decode(tree["session"])
            state = archive["state"]
    except (BadZipFile, OSError, ValueError, LookupError, TypeError, AttributeError, ImportError) as error:
        raise SnapshotError(f"expected a snapshot, got {type(error).__name__}: {error}") from error
    if not isinstance(session, Session):
        raise SnapshotError(f"expected a session, got {type(session).__name__}")
    return session, state


def _parts(model: ServedModel) -> dict[str, Any]:
    """What a session has of its model, by name."""
    own = {f".{name}": value for name, value in vars(model).items() if not isinstance(value, PLAIN)}
    return {"": model, **own, ".manifest.skeleton.joints": model.manifest.skeleton.joints}


def _quantiles(shares: tuple[float, ...], size: int, state: dict[str, Any]) -> RollingQuantiles:
    quantiles = RollingQuantiles(shares, size)
    quantiles.restore(state)
    return quantiles


class _Encoder:
    """One tree; what is met twice is referred to the second time."""

    def __init__(self, model: ServedModel) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._parts = {id(part): name for name, part in _parts(model).items()}
        self._met: dict[int, int] = {}
        self._kept: list[Any] = []  # an id is good only while its object lives

    def encode(self, value: Any) -> Any:
        """As JSON: plain values as they are, the rest as [kind, ...]."""
        if type(value) in PLAIN:  # a float64 is a float, but not the same in arithmetic
            return value
        if id(value) in self._parts:
            return ["part", self._parts[id(value)]]
        if id(value) in self._met:
            return ["met", self._met[id(value)]]
        self._met[id(value)] = len(self._met)
        self._kept.append(value)
        match value:
            case np.ndarray() | np.generic():
                if value.dtype.hasobject:
                    raise SnapshotError("expected arrays of numbers, got one of objects")
                self.arrays.append(np.asarray(value))
                writeable = isinstance(value, np.ndarray) and value.flags.writeable
                kind = "scalar" if isinstance(value, np.generic) else "array" if writeable else "constant"
                return [kind, len(self.arrays) - 1]
            case list() | tuple() | set():
                return [type(value).__name__, [self.encode(item) for item in value]]
            case deque():
                return ["deque", [self.encode(item) for item in value], value.maxlen]
            case dict():
                return ["dict", [[self.encode(key), self.encode(item)] for key, item in value.items()]]
        own = type(value)
        if not own.__module__.startswith(PACKAGES):
            raise SnapshotError(f"cannot keep a {own.__module__}.{own.__qualname__}")
        if isinstance(value, RollingQuantiles):
            return ["quantiles", self.encode((value.shares, value.size, value.state()))]
        names = [*getattr(value, "__dict__", ()), *(n for c in own.__mro__ for n in getattr(c, "__slots__", ()))]
        names = [name for name in names if name not in ("__dict__", "__weakref__")]
        fields = [[name, self.encode(getattr(value, name))] for name in names]
        return ["object", own.__module__, own.__qualname__, fields]


class _Decoder:
    """The inverse: counts what it meets as the encoder did."""

    def __init__(self, model: ServedModel, array: Callable[[int], NDArray[Any]]) -> None:
        self._parts = _parts(model)
        self._array = array
        self._met: list[Any] = []

    def decode(self, tree: Any) -> Any:
        """Raises SnapshotError, KeyError and the like for a tree that no encoder made."""
        if isinstance(tree, PLAIN):
            return tree
        kind, *rest = tree
        match kind:
            case "part":
                return self._parts[rest[0]]
            case "met":
                return self._met[rest[0]]
            case "array" | "constant" | "scalar":
                array = self._array(rest[0])
                array.setflags(write=kind == "array")
                return self._meet(array[()] if kind == "scalar" else array)
            case "list" | "set" | "deque" | "dict":
                return self._fill(kind, rest)
            case "tuple":
                return self._meet_late(lambda: tuple(self.decode(item) for item in rest[0]))
            case "quantiles":
                return self._meet_late(lambda: _quantiles(*self.decode(rest[0])))
            case "object":
                return self._make(*rest)
        raise SnapshotError(f"expected a kind of value, got {kind!r}")

    def _meet(self, value: Any) -> Any:
        self._met.append(value)
        return value

    def _meet_late(self, make: Callable[[], Any]) -> Any:
        """What can be made only after its items has its place before them."""
        place = len(self._met)
        self._met.append(None)
        self._met[place] = make()
        return self._met[place]

    def _fill(self, kind: str, rest: list[Any]) -> Any:
        items = rest[0]
        match kind:
            case "list":
                value: Any = self._meet([])
                value.extend(self.decode(item) for item in items)
            case "set":
                value = self._meet(set())
                value.update(self.decode(item) for item in items)
            case "deque":
                value = self._meet(deque(maxlen=rest[1]))
                value.extend(self.decode(item) for item in items)
            case _:
                value = self._meet({})
                for key, item in items:
                    name = self.decode(key)
                    value[name] = self.decode(item)
        return value

    def _make(self, module: str, name: str, fields: list[Any]) -> Any:
        if not module.startswith(PACKAGES):
            raise SnapshotError(f"expected a class of this project, got {module}.{name}")
        kind = getattr(importlib.import_module(module), name)
        if not isinstance(kind, type) or kind.__module__ != module:
            raise SnapshotError(f"expected a class of this project, got {module}.{name}")
        value = self._meet(object.__new__(kind))
        for field, item in fields:
            object.__setattr__(value, field, self.decode(item))
        return value
