"""The events of a stream, as frozen values that server and client share, and as plain dictionaries.

Times are int64 microseconds of the sender's clock, spans are half-open [start, end) in `seq` and in time.
A new event is a class here and a member of `Event`; KINDS, `to_dict`, `from_dict` and codec.py follow from that.
No protobuf here: codec.py turns events into messages and back.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from types import NoneType
from typing import Any, get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Label:
    """Frames [start_seq, end_seq) show `cluster`. A provisional label may still change, a final one never."""

    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    cluster: int
    stability: float
    """0..1: calibrated chance that the final label is this one; 1 when final."""
    final: bool


@dataclass(frozen=True, slots=True)
class SegmentStarted:
    """A run of one final label began."""

    segment: int
    cluster: int
    name: str
    start_seq: int
    start_us: int
    guessed: bool = False
    """Nobody gave the name: it is what the motion plainly is."""


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """A maximal run of one final label; ended segments and gaps tile the timeline."""

    segment: int
    cluster: int
    name: str
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    guessed: bool = False
    """As in SegmentStarted."""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Sent when it begins, is confirmed, has lasted for a minute, and has ended; one of each kind is open at most."""

    anomaly: int
    ongoing: bool
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    kind: str
    """"sensor fault", "motion fault" or "new behaviour"."""
    detector: str
    """The score that was the least normal."""
    phase: str
    """"begun", "confirmed", "persisting" or "ended"."""
    false_alarms_per_hour: float
    """The severity: so many are to be expected where alarms begin at a score like this; the least so far."""
    joints: tuple[str, ...]
    """The least normal first."""
    deviations: tuple[float, ...]
    """Of each of `joints` from its own normal, standard deviations."""
    cluster: int
    """The nearest known behaviour, 0 for none."""


@dataclass(frozen=True, slots=True)
class AnomalyScores:
    """False alarms an hour to be expected where alarms begin at what [start, end) shows: the lower the less normal."""

    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    sensor: float
    motion: float
    behaviour: float


@dataclass(frozen=True, slots=True)
class Degraded:
    """Joints are not seen: sent when it begins (`ongoing`) and again with its end. Other joints are another one."""

    degraded: int
    ongoing: bool
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    joints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterCreated:
    """A cluster was born; its id is never reused within the stream id."""

    cluster: int
    time_us: int


@dataclass(frozen=True, slots=True)
class ClusterMerged:
    """`source` is part of `target` from now on."""

    source: int
    target: int
    time_us: int


@dataclass(frozen=True, slots=True)
class ClusterSplit:
    """`cluster`, which was part of `target`, stands for itself again."""

    cluster: int
    target: int
    time_us: int


@dataclass(frozen=True, slots=True)
class ClusterNamed:
    """A user gave `cluster` a name, or took it away: it is called `name` from now on, empty for none."""

    cluster: int
    name: str
    time_us: int
    guessed: bool = False
    """As in SegmentStarted: the user's name is gone, and this is what the motion plainly is."""


@dataclass(frozen=True, slots=True)
class ClusterTableFull:
    """`cluster`, the least used of those without a name, is forgotten, so that another one has room."""

    limit: int
    """Clusters that a stream keeps at most beside those of its model."""
    cluster: int
    time_us: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Frames, or time, are missing; `start_seq` equals `end_seq` when only time is."""

    start_seq: int
    end_seq: int
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Restarted:
    """The window starts afresh at frame `seq`; what was learnt stays."""

    seq: int
    time_us: int
    reason: str


ClusterChange = ClusterCreated | ClusterMerged | ClusterSplit | ClusterNamed | ClusterTableFull
Event = Label | SegmentStarted | SegmentEnded | Anomaly | AnomalyScores | Degraded | ClusterChange | Gap | Restarted

KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in sorted(get_args(Event), key=lambda k: k.__name__)}
"""Event classes by name."""
_TYPES = {kind: get_type_hints(kind) for kind in KINDS.values()}


def to_dict(event: Event) -> dict[str, Any]:
    """{"event": "SegmentEnded", "segment": 3, ...}: the kind, then the fields in their order; tuples become lists."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return {"event": type(event).__name__} | {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }


def from_dict(values: Mapping[str, Any]) -> Event:
    """The inverse of `to_dict`, also after a way through JSON. Whole numbers are accepted for floats.

    Fields that have a default may be missing: older files lack them.

    Raises ValueError for an unknown kind, missing or unknown fields, and a field of the wrong type.
    """
    kind = KINDS.get(str(values.get("event")))
    if kind is None:
        raise ValueError(f"expected an event among {', '.join(KINDS)}, got {values.get('event')!r}")
    given = {name: value for name, value in values.items() if name != "event"}
    types = _TYPES[kind]
    needed = {field.name for field in fields(kind) if field.default is MISSING}
    if not needed <= given.keys() <= types.keys():
        raise ValueError(f"expected {kind.__name__} with {', '.join(types)}, got {', '.join(given)}")
    return kind(**{name: _checked(name, value, types[name]) for name, value in given.items()})


def _checked(name: str, value: Any, expected: Any) -> Any:
    """`value` as a field of type `expected`: int, float, str, bool, or a tuple of one of them."""
    inner = next(iter(get_args(expected)), NoneType)
    if inner is not NoneType and isinstance(value, list):
        return tuple(_checked(name, part, inner) for part in value)
    if expected is float and type(value) is int and abs(value) < 2**1023:  # others no float can hold
        return float(value)
    if type(value) is not expected:
        raise ValueError(f"expected {name} of type {getattr(expected, '__name__', expected)}, got {value!r}")
    return value
