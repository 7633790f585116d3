"""What leaves a stream, as frozen values that server and client share.

Times are int64 microseconds of the sender's clock, spans are half-open [start, end) in `seq` and in time.
No protobuf here: codec.py turns these into messages and back.
"""

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Anomaly:
    """Motion unlike what the model and this stream know: sent when it begins (`ongoing`) and again with its end."""

    anomaly: int
    ongoing: bool
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    score: float
    """Highest score so far; 1 is the stream's threshold."""
    joints: tuple[str, ...]
    shares: tuple[float, ...]
    """Share of the error that each of `joints` carries, 0..1, strongest first."""


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


Event = Label | SegmentStarted | SegmentEnded | Anomaly | ClusterCreated | ClusterMerged | Gap | Restarted
