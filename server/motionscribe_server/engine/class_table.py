"""The classes that may travel between server and worker: one table of names, how each is taken apart and made again.

In: an object. Out: a map of one entry, from its name to its fields, as msgpack carries it; and back. Fields are checked
against the annotations of the class, exceptions travel by name and text. What is refused raises TypeError or
ValueError, or what the constructor of the class raises. It makes no bytes: codec.py does.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np

from motionscribe_models import errors as contract_errors
from motionscribe_models.errors import ContractError
from motionscribe_proto import events
from motionscribe_proto.frames import FrameBlock, WireError
from motionscribe_proto.weights import JointWeight, PartWeight
from motionscribe_server import errors as server_errors
from motionscribe_server.engine import messages
from motionscribe_server.engine.field_types import accepts
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import ServerError, UnforeseenError
from motionscribe_server.session import clustering
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState, Exemplar
from motionscribe_server.session.edits import Mark, Merge, PlacedEdit, Rename, Split
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.recall import Recalled

CLASSES: dict[str, type] = {
    "start": messages.Start,
    "ready": messages.Ready,
    "start_failed": messages.StartFailed,
    "ask": messages.Ask,
    "open": messages.OpenSession,
    "list": messages.ListClusters,
    "edit": messages.EditClusters,
    "recall": messages.RecallSegment,
    "explain": messages.ExplainSegment,
    "frames": messages.TakeFrames,
    "close": messages.CloseSession,
    "snapshot": messages.TakeSnapshot,
    "forget": messages.ForgetSession,
    "ping": messages.Ping,
    "reply": messages.Reply,
    "turn": messages.Turn,
    "answer": messages.Answer,
    "engine": messages.EngineInfo,
    "clusters": messages.SessionClusters,
    "cluster": ClusterState,
    "exemplar": Exemplar,
    "options": SessionOptions,
    "book": PackedBook,
    "recalled": Recalled,
    "map": messages.MapClusters,
    "cluster_map": ClusterMap,
    "explanation": Explanation,
    "joint_weight": JointWeight,
    "part_weight": PartWeight,
    "rename": Rename,
    "merge": Merge,
    "split": Split,
    "mark": Mark,
    "placed_edit": PlacedEdit,
    "block": FrameBlock,
    "label": events.Label,
    "segment_started": events.SegmentStarted,
    "segment_ended": events.SegmentEnded,
    "anomaly": events.Anomaly,
    "anomaly_scores": events.AnomalyScores,
    "degraded": events.Degraded,
    "cluster_created": events.ClusterCreated,
    "cluster_merged": events.ClusterMerged,
    "cluster_split": events.ClusterSplit,
    "cluster_named": events.ClusterNamed,
    "cluster_table_full": events.ClusterTableFull,
    "gap": events.Gap,
    "restarted": events.Restarted,
}
"""Named tuples and dataclasses that travel, by name; each is made again from its fields, in their order."""
DTYPES = {dtype.str: dtype for dtype in map(np.dtype, ("<f4", "<f8", "<i8"))}
"""Arrays that travel, by the name of their type."""
ERRORS: dict[str, type[Exception]] = {
    name: value
    for module in (contract_errors, server_errors, clustering)
    for name, value in vars(module).items()
    if isinstance(value, type) and issubclass(value, ContractError | ServerError | UnforeseenError)
} | {"WireError": WireError}
"""Exceptions that travel as what they are; others arrive as UnforeseenError."""


def to_plain(value: Any) -> Any:
    """What msgpack carries in place of a value: the map of an object, a list, a number. Raises TypeError."""
    if kind := _KINDS.get(type(value)):
        name, fields = kind
        return {name: fields(value)}
    match value:
        case tuple():
            return list(value)
        case Path():
            return {"path": [str(value)]}
        case Exception():
            return {"error": _error_fields(value)}
        case np.generic():
            return value.item()
    raise TypeError(f"expected a value that may travel, got a {type(value).__name__}")


def from_plain(entries: dict[str, Any]) -> Any:
    """The object of a map. Raises ValueError for fields that are not of a class, and what its constructor raises."""
    if len(entries) != 1:
        raise ValueError(f"expected a map of one entry, got {len(entries)}")
    ((name, fields),) = entries.items()
    if name not in _MAKERS or not isinstance(fields, tuple):
        raise ValueError(f"expected the fields of one of {', '.join(_MAKERS)}, got {name!r}: {fields!r:.200}")
    return _MAKERS[name](*fields)


def _fields_of(kind: type) -> Callable[[Any], list[Any]]:
    """What takes an object of a class apart."""
    if not dataclasses.is_dataclass(kind):
        return list  # a named tuple
    names = [field.name for field in dataclasses.fields(kind)]
    get = attrgetter(*names)
    return (lambda value: list(get(value))) if len(names) > 1 else (lambda value: [get(value)])


def _maker_of(name: str, kind: type) -> Callable[..., Any]:
    """What makes an object of a class from fields of the types that it declares."""
    checks = [accepts(hint) for hint in get_type_hints(kind).values()]

    def make(*fields: Any) -> Any:
        if len(fields) != len(checks):
            raise ValueError(f"expected {len(checks)} fields of {name}, got {len(fields)}")
        for field, check in zip(fields, checks, strict=True):
            if not check(field):
                raise ValueError(f"expected the fields of {name}, got {fields!r:.200}")
        return kind(*fields)

    return make


def _array_fields(array: np.ndarray[Any, Any]) -> list[Any]:
    if array.dtype.str not in DTYPES:
        raise TypeError(f"expected an array of {', '.join(DTYPES)}, got {array.dtype}")
    return [array.dtype.str, list(array.shape), array.tobytes()]


def _array(dtype: str, shape: tuple[int, ...], data: bytes) -> np.ndarray[Any, Any]:
    return np.frombuffer(data, DTYPES[dtype]).reshape(shape)


def _error_fields(error: Exception) -> list[str]:
    for kind in type(error).__mro__:
        if ERRORS.get(kind.__name__) is kind:
            return [kind.__name__, str(error)]
    return [UnforeseenError.__name__, f"{type(error).__name__}: {error}"]


def _error(name: str, text: str) -> Exception:
    if name not in ERRORS or not isinstance(text, str):
        raise ValueError(f"expected an exception that may travel, and its text, got {name!r} and {text!r:.200}")
    kind = ERRORS[name]
    return kind.__new__(kind, text)  # some have constructors that make up their text


_KINDS: dict[type, tuple[str, Callable[[Any], list[Any]]]] = {
    **{kind: (name, _fields_of(kind)) for name, kind in CLASSES.items()},
    Shedding: ("shedding", lambda level: [level.value]),
    np.ndarray: ("array", _array_fields),
}
_MAKERS: dict[str, Callable[..., Any]] = {
    **{name: _maker_of(name, kind) for name, kind in CLASSES.items()},
    "shedding": Shedding,
    "array": _array,
    "error": _error,
    "path": Path,
}
