from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Lag(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LAG_UNSPECIFIED: _ClassVar[Lag]
    LAG_FAST: _ClassVar[Lag]
    LAG_BALANCED: _ClassVar[Lag]
    LAG_STABLE: _ClassVar[Lag]

class Delivery(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_UNSPECIFIED: _ClassVar[Delivery]
    DELIVERY_LIVE: _ClassVar[Delivery]
    DELIVERY_DURABLE: _ClassVar[Delivery]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_NONE: _ClassVar[Verdict]
    VERDICT_NORMAL: _ClassVar[Verdict]
    VERDICT_FAULT: _ClassVar[Verdict]
LAG_UNSPECIFIED: Lag
LAG_FAST: Lag
LAG_BALANCED: Lag
LAG_STABLE: Lag
DELIVERY_UNSPECIFIED: Delivery
DELIVERY_LIVE: Delivery
DELIVERY_DURABLE: Delivery
VERDICT_UNSPECIFIED: Verdict
VERDICT_NONE: Verdict
VERDICT_NORMAL: Verdict
VERDICT_FAULT: Verdict

class StreamRequest(_message.Message):
    __slots__ = ("open", "frames", "ack", "close")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    CLOSE_FIELD_NUMBER: _ClassVar[int]
    open: Open
    frames: Frames
    ack: Ack
    close: Close
    def __init__(self, open: _Optional[_Union[Open, _Mapping]] = ..., frames: _Optional[_Union[Frames, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., close: _Optional[_Union[Close, _Mapping]] = ...) -> None: ...

class Open(_message.Message):
    __slots__ = ("stream_id", "model", "version", "skeleton", "features", "rate_hz", "provisional", "lag", "delivery", "resume_token", "last_event", "false_alarms_per_hour", "anomaly_scores")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    FEATURES_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LAST_EVENT_FIELD_NUMBER: _ClassVar[int]
    FALSE_ALARMS_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    ANOMALY_SCORES_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    model: str
    version: str
    skeleton: Skeleton
    features: FeatureNames
    rate_hz: float
    provisional: bool
    lag: Lag
    delivery: Delivery
    resume_token: str
    last_event: int
    false_alarms_per_hour: FalseAlarms
    anomaly_scores: bool
    def __init__(self, stream_id: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[str] = ..., skeleton: _Optional[_Union[Skeleton, _Mapping]] = ..., features: _Optional[_Union[FeatureNames, _Mapping]] = ..., rate_hz: _Optional[float] = ..., provisional: bool = ..., lag: _Optional[_Union[Lag, str]] = ..., delivery: _Optional[_Union[Delivery, str]] = ..., resume_token: _Optional[str] = ..., last_event: _Optional[int] = ..., false_alarms_per_hour: _Optional[_Union[FalseAlarms, _Mapping]] = ..., anomaly_scores: bool = ...) -> None: ...

class FalseAlarms(_message.Message):
    __slots__ = ("sensor", "motion", "behaviour")
    SENSOR_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOUR_FIELD_NUMBER: _ClassVar[int]
    sensor: float
    motion: float
    behaviour: float
    def __init__(self, sensor: _Optional[float] = ..., motion: _Optional[float] = ..., behaviour: _Optional[float] = ...) -> None: ...

class Frames(_message.Message):
    __slots__ = ("first_seq", "values", "timestamps_us", "start_us", "step_us", "confidences")
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_US_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    STEP_US_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCES_FIELD_NUMBER: _ClassVar[int]
    first_seq: int
    values: bytes
    timestamps_us: _containers.RepeatedScalarFieldContainer[int]
    start_us: int
    step_us: float
    confidences: bytes
    def __init__(self, first_seq: _Optional[int] = ..., values: _Optional[bytes] = ..., timestamps_us: _Optional[_Iterable[int]] = ..., start_us: _Optional[int] = ..., step_us: _Optional[float] = ..., confidences: _Optional[bytes] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("last_event",)
    LAST_EVENT_FIELD_NUMBER: _ClassVar[int]
    last_event: int
    def __init__(self, last_event: _Optional[int] = ...) -> None: ...

class Close(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamResponse(_message.Message):
    __slots__ = ("opened", "update", "go_away", "poses")
    OPENED_FIELD_NUMBER: _ClassVar[int]
    UPDATE_FIELD_NUMBER: _ClassVar[int]
    GO_AWAY_FIELD_NUMBER: _ClassVar[int]
    POSES_FIELD_NUMBER: _ClassVar[int]
    opened: Opened
    update: Update
    go_away: GoAway
    poses: Poses
    def __init__(self, opened: _Optional[_Union[Opened, _Mapping]] = ..., update: _Optional[_Union[Update, _Mapping]] = ..., go_away: _Optional[_Union[GoAway, _Mapping]] = ..., poses: _Optional[_Union[Poses, _Mapping]] = ...) -> None: ...

class Opened(_message.Message):
    __slots__ = ("session", "resume_token", "epoch", "resumed", "next_seq", "credits", "model", "latency_us", "clusters", "not_resumed", "mapping")
    SESSION_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    NEXT_SEQ_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    NOT_RESUMED_FIELD_NUMBER: _ClassVar[int]
    MAPPING_FIELD_NUMBER: _ClassVar[int]
    session: str
    resume_token: str
    epoch: int
    resumed: bool
    next_seq: int
    credits: int
    model: Model
    latency_us: int
    clusters: _containers.RepeatedCompositeFieldContainer[Cluster]
    not_resumed: str
    mapping: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, session: _Optional[str] = ..., resume_token: _Optional[str] = ..., epoch: _Optional[int] = ..., resumed: bool = ..., next_seq: _Optional[int] = ..., credits: _Optional[int] = ..., model: _Optional[_Union[Model, _Mapping]] = ..., latency_us: _Optional[int] = ..., clusters: _Optional[_Iterable[_Union[Cluster, _Mapping]]] = ..., not_resumed: _Optional[str] = ..., mapping: _Optional[_Iterable[str]] = ...) -> None: ...

class Update(_message.Message):
    __slots__ = ("first_event", "events", "durable_seq", "credits", "received_seq", "start_us")
    FIRST_EVENT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    DURABLE_SEQ_FIELD_NUMBER: _ClassVar[int]
    CREDITS_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    first_event: int
    events: _containers.RepeatedCompositeFieldContainer[Event]
    durable_seq: int
    credits: int
    received_seq: int
    start_us: int
    def __init__(self, first_event: _Optional[int] = ..., events: _Optional[_Iterable[_Union[Event, _Mapping]]] = ..., durable_seq: _Optional[int] = ..., credits: _Optional[int] = ..., received_seq: _Optional[int] = ..., start_us: _Optional[int] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("labels", "segment_started", "segment_ended", "anomaly", "cluster_created", "cluster_merged", "gap", "restarted", "cluster_table_full", "degraded", "anomaly_scores", "cluster_split", "cluster_named")
    LABELS_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_STARTED_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_ENDED_FIELD_NUMBER: _ClassVar[int]
    ANOMALY_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_CREATED_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_MERGED_FIELD_NUMBER: _ClassVar[int]
    GAP_FIELD_NUMBER: _ClassVar[int]
    RESTARTED_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_TABLE_FULL_FIELD_NUMBER: _ClassVar[int]
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    ANOMALY_SCORES_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_SPLIT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_NAMED_FIELD_NUMBER: _ClassVar[int]
    labels: Labels
    segment_started: SegmentStarted
    segment_ended: SegmentEnded
    anomaly: Anomaly
    cluster_created: ClusterCreated
    cluster_merged: ClusterMerged
    gap: Gap
    restarted: Restarted
    cluster_table_full: ClusterTableFull
    degraded: Degraded
    anomaly_scores: AnomalyScores
    cluster_split: ClusterSplit
    cluster_named: ClusterNamed
    def __init__(self, labels: _Optional[_Union[Labels, _Mapping]] = ..., segment_started: _Optional[_Union[SegmentStarted, _Mapping]] = ..., segment_ended: _Optional[_Union[SegmentEnded, _Mapping]] = ..., anomaly: _Optional[_Union[Anomaly, _Mapping]] = ..., cluster_created: _Optional[_Union[ClusterCreated, _Mapping]] = ..., cluster_merged: _Optional[_Union[ClusterMerged, _Mapping]] = ..., gap: _Optional[_Union[Gap, _Mapping]] = ..., restarted: _Optional[_Union[Restarted, _Mapping]] = ..., cluster_table_full: _Optional[_Union[ClusterTableFull, _Mapping]] = ..., degraded: _Optional[_Union[Degraded, _Mapping]] = ..., anomaly_scores: _Optional[_Union[AnomalyScores, _Mapping]] = ..., cluster_split: _Optional[_Union[ClusterSplit, _Mapping]] = ..., cluster_named: _Optional[_Union[ClusterNamed, _Mapping]] = ...) -> None: ...

class Labels(_message.Message):
    __slots__ = ("start_seq", "end_seq", "start_us", "end_us", "cluster", "stability", "final")
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    END_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    STABILITY_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    start_seq: _containers.RepeatedScalarFieldContainer[int]
    end_seq: _containers.RepeatedScalarFieldContainer[int]
    start_us: _containers.RepeatedScalarFieldContainer[int]
    end_us: _containers.RepeatedScalarFieldContainer[int]
    cluster: _containers.RepeatedScalarFieldContainer[int]
    stability: _containers.RepeatedScalarFieldContainer[float]
    final: bool
    def __init__(self, start_seq: _Optional[_Iterable[int]] = ..., end_seq: _Optional[_Iterable[int]] = ..., start_us: _Optional[_Iterable[int]] = ..., end_us: _Optional[_Iterable[int]] = ..., cluster: _Optional[_Iterable[int]] = ..., stability: _Optional[_Iterable[float]] = ..., final: bool = ...) -> None: ...

class SegmentStarted(_message.Message):
    __slots__ = ("segment", "cluster", "name", "start_seq", "start_us", "guessed")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    GUESSED_FIELD_NUMBER: _ClassVar[int]
    segment: int
    cluster: int
    name: str
    start_seq: int
    start_us: int
    guessed: bool
    def __init__(self, segment: _Optional[int] = ..., cluster: _Optional[int] = ..., name: _Optional[str] = ..., start_seq: _Optional[int] = ..., start_us: _Optional[int] = ..., guessed: bool = ...) -> None: ...

class SegmentEnded(_message.Message):
    __slots__ = ("segment", "cluster", "name", "start_seq", "end_seq", "start_us", "end_us", "guessed")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    END_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    GUESSED_FIELD_NUMBER: _ClassVar[int]
    segment: int
    cluster: int
    name: str
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    guessed: bool
    def __init__(self, segment: _Optional[int] = ..., cluster: _Optional[int] = ..., name: _Optional[str] = ..., start_seq: _Optional[int] = ..., end_seq: _Optional[int] = ..., start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., guessed: bool = ...) -> None: ...

class Anomaly(_message.Message):
    __slots__ = ("anomaly", "ongoing", "start_seq", "end_seq", "start_us", "end_us", "joints", "kind", "detector", "phase", "false_alarms_per_hour", "deviations", "cluster")
    ANOMALY_FIELD_NUMBER: _ClassVar[int]
    ONGOING_FIELD_NUMBER: _ClassVar[int]
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    END_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    FALSE_ALARMS_PER_HOUR_FIELD_NUMBER: _ClassVar[int]
    DEVIATIONS_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    anomaly: int
    ongoing: bool
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    joints: _containers.RepeatedScalarFieldContainer[str]
    kind: str
    detector: str
    phase: str
    false_alarms_per_hour: float
    deviations: _containers.RepeatedScalarFieldContainer[float]
    cluster: int
    def __init__(self, anomaly: _Optional[int] = ..., ongoing: bool = ..., start_seq: _Optional[int] = ..., end_seq: _Optional[int] = ..., start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., joints: _Optional[_Iterable[str]] = ..., kind: _Optional[str] = ..., detector: _Optional[str] = ..., phase: _Optional[str] = ..., false_alarms_per_hour: _Optional[float] = ..., deviations: _Optional[_Iterable[float]] = ..., cluster: _Optional[int] = ...) -> None: ...

class AnomalyScores(_message.Message):
    __slots__ = ("start_seq", "end_seq", "start_us", "end_us", "sensor", "motion", "behaviour")
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    END_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    SENSOR_FIELD_NUMBER: _ClassVar[int]
    MOTION_FIELD_NUMBER: _ClassVar[int]
    BEHAVIOUR_FIELD_NUMBER: _ClassVar[int]
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    sensor: float
    motion: float
    behaviour: float
    def __init__(self, start_seq: _Optional[int] = ..., end_seq: _Optional[int] = ..., start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., sensor: _Optional[float] = ..., motion: _Optional[float] = ..., behaviour: _Optional[float] = ...) -> None: ...

class Degraded(_message.Message):
    __slots__ = ("degraded", "ongoing", "start_seq", "end_seq", "start_us", "end_us", "joints")
    DEGRADED_FIELD_NUMBER: _ClassVar[int]
    ONGOING_FIELD_NUMBER: _ClassVar[int]
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    END_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    degraded: int
    ongoing: bool
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    joints: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, degraded: _Optional[int] = ..., ongoing: bool = ..., start_seq: _Optional[int] = ..., end_seq: _Optional[int] = ..., start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., joints: _Optional[_Iterable[str]] = ...) -> None: ...

class ClusterCreated(_message.Message):
    __slots__ = ("cluster", "time_us")
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    cluster: int
    time_us: int
    def __init__(self, cluster: _Optional[int] = ..., time_us: _Optional[int] = ...) -> None: ...

class ClusterMerged(_message.Message):
    __slots__ = ("source", "target", "time_us")
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    source: int
    target: int
    time_us: int
    def __init__(self, source: _Optional[int] = ..., target: _Optional[int] = ..., time_us: _Optional[int] = ...) -> None: ...

class ClusterSplit(_message.Message):
    __slots__ = ("cluster", "target", "time_us")
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    cluster: int
    target: int
    time_us: int
    def __init__(self, cluster: _Optional[int] = ..., target: _Optional[int] = ..., time_us: _Optional[int] = ...) -> None: ...

class ClusterNamed(_message.Message):
    __slots__ = ("cluster", "name", "time_us", "guessed")
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    GUESSED_FIELD_NUMBER: _ClassVar[int]
    cluster: int
    name: str
    time_us: int
    guessed: bool
    def __init__(self, cluster: _Optional[int] = ..., name: _Optional[str] = ..., time_us: _Optional[int] = ..., guessed: bool = ...) -> None: ...

class ClusterTableFull(_message.Message):
    __slots__ = ("limit", "cluster", "time_us")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    limit: int
    cluster: int
    time_us: int
    def __init__(self, limit: _Optional[int] = ..., cluster: _Optional[int] = ..., time_us: _Optional[int] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("start_seq", "end_seq", "start_us", "end_us")
    START_SEQ_FIELD_NUMBER: _ClassVar[int]
    END_SEQ_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    start_seq: int
    end_seq: int
    start_us: int
    end_us: int
    def __init__(self, start_seq: _Optional[int] = ..., end_seq: _Optional[int] = ..., start_us: _Optional[int] = ..., end_us: _Optional[int] = ...) -> None: ...

class Restarted(_message.Message):
    __slots__ = ("seq", "time_us", "reason")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TIME_US_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    seq: int
    time_us: int
    reason: str
    def __init__(self, seq: _Optional[int] = ..., time_us: _Optional[int] = ..., reason: _Optional[str] = ...) -> None: ...

class GoAway(_message.Message):
    __slots__ = ("reason", "resume_token", "retry_after_ms")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    reason: str
    resume_token: str
    retry_after_ms: int
    def __init__(self, reason: _Optional[str] = ..., resume_token: _Optional[str] = ..., retry_after_ms: _Optional[int] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("stream_id", "provisional", "poses")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    PROVISIONAL_FIELD_NUMBER: _ClassVar[int]
    POSES_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    provisional: bool
    poses: bool
    def __init__(self, stream_id: _Optional[str] = ..., provisional: bool = ..., poses: bool = ...) -> None: ...

class Poses(_message.Message):
    __slots__ = ("first_seq", "timestamps_us", "values")
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMPS_US_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    first_seq: int
    timestamps_us: _containers.RepeatedScalarFieldContainer[int]
    values: bytes
    def __init__(self, first_seq: _Optional[int] = ..., timestamps_us: _Optional[_Iterable[int]] = ..., values: _Optional[bytes] = ...) -> None: ...

class ListStreamsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListStreamsResponse(_message.Message):
    __slots__ = ("streams",)
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    streams: _containers.RepeatedCompositeFieldContainer[LiveStreamInfo]
    def __init__(self, streams: _Optional[_Iterable[_Union[LiveStreamInfo, _Mapping]]] = ...) -> None: ...

class LiveStreamInfo(_message.Message):
    __slots__ = ("stream_id", "model", "version", "skeleton", "rate_hz", "has_owner", "received_seq")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    HAS_OWNER_FIELD_NUMBER: _ClassVar[int]
    RECEIVED_SEQ_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    model: str
    version: str
    skeleton: Skeleton
    rate_hz: float
    has_owner: bool
    received_seq: int
    def __init__(self, stream_id: _Optional[str] = ..., model: _Optional[str] = ..., version: _Optional[str] = ..., skeleton: _Optional[_Union[Skeleton, _Mapping]] = ..., rate_hz: _Optional[float] = ..., has_owner: bool = ..., received_seq: _Optional[int] = ...) -> None: ...

class Skeleton(_message.Message):
    __slots__ = ("name", "joints", "parents", "representation", "units", "up_axis", "rate_hz", "metres_per_unit", "inverted", "offsets", "axes", "left_handed", "tilted")
    NAME_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    PARENTS_FIELD_NUMBER: _ClassVar[int]
    REPRESENTATION_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    UP_AXIS_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    METRES_PER_UNIT_FIELD_NUMBER: _ClassVar[int]
    INVERTED_FIELD_NUMBER: _ClassVar[int]
    OFFSETS_FIELD_NUMBER: _ClassVar[int]
    AXES_FIELD_NUMBER: _ClassVar[int]
    LEFT_HANDED_FIELD_NUMBER: _ClassVar[int]
    TILTED_FIELD_NUMBER: _ClassVar[int]
    name: str
    joints: _containers.RepeatedScalarFieldContainer[str]
    parents: _containers.RepeatedScalarFieldContainer[int]
    representation: str
    units: str
    up_axis: str
    rate_hz: float
    metres_per_unit: float
    inverted: bool
    offsets: _containers.RepeatedScalarFieldContainer[float]
    axes: _containers.RepeatedScalarFieldContainer[float]
    left_handed: bool
    tilted: bool
    def __init__(self, name: _Optional[str] = ..., joints: _Optional[_Iterable[str]] = ..., parents: _Optional[_Iterable[int]] = ..., representation: _Optional[str] = ..., units: _Optional[str] = ..., up_axis: _Optional[str] = ..., rate_hz: _Optional[float] = ..., metres_per_unit: _Optional[float] = ..., inverted: bool = ..., offsets: _Optional[_Iterable[float]] = ..., axes: _Optional[_Iterable[float]] = ..., left_handed: bool = ..., tilted: bool = ...) -> None: ...

class FeatureNames(_message.Message):
    __slots__ = ("names",)
    NAMES_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, names: _Optional[_Iterable[str]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("name", "version", "skeleton", "columns", "rate_hz", "window", "stride", "latency_us", "hidden", "projected", "variant", "provider", "metrics", "description")
    class LatencyUsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    class MetricsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    STRIDE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    HIDDEN_FIELD_NUMBER: _ClassVar[int]
    PROJECTED_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    skeleton: Skeleton
    columns: _containers.RepeatedScalarFieldContainer[str]
    rate_hz: float
    window: int
    stride: int
    latency_us: _containers.ScalarMap[str, int]
    hidden: int
    projected: int
    variant: str
    provider: str
    metrics: _containers.ScalarMap[str, float]
    description: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ..., skeleton: _Optional[_Union[Skeleton, _Mapping]] = ..., columns: _Optional[_Iterable[str]] = ..., rate_hz: _Optional[float] = ..., window: _Optional[int] = ..., stride: _Optional[int] = ..., latency_us: _Optional[_Mapping[str, int]] = ..., hidden: _Optional[int] = ..., projected: _Optional[int] = ..., variant: _Optional[str] = ..., provider: _Optional[str] = ..., metrics: _Optional[_Mapping[str, float]] = ..., description: _Optional[str] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class DescribeModelRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class Cluster(_message.Message):
    __slots__ = ("id", "name", "merged_into", "warm", "weight", "created_us", "last_seen_us", "segments", "seconds", "guessed")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MERGED_INTO_FIELD_NUMBER: _ClassVar[int]
    WARM_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CREATED_US_FIELD_NUMBER: _ClassVar[int]
    LAST_SEEN_US_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    GUESSED_FIELD_NUMBER: _ClassVar[int]
    id: int
    name: str
    merged_into: int
    warm: bool
    weight: float
    created_us: int
    last_seen_us: int
    segments: int
    seconds: float
    guessed: bool
    def __init__(self, id: _Optional[int] = ..., name: _Optional[str] = ..., merged_into: _Optional[int] = ..., warm: bool = ..., weight: _Optional[float] = ..., created_us: _Optional[int] = ..., last_seen_us: _Optional[int] = ..., segments: _Optional[int] = ..., seconds: _Optional[float] = ..., guessed: bool = ...) -> None: ...

class ListClustersRequest(_message.Message):
    __slots__ = ("stream_id",)
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    def __init__(self, stream_id: _Optional[str] = ...) -> None: ...

class ListClustersResponse(_message.Message):
    __slots__ = ("clusters",)
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    clusters: _containers.RepeatedCompositeFieldContainer[Cluster]
    def __init__(self, clusters: _Optional[_Iterable[_Union[Cluster, _Mapping]]] = ...) -> None: ...

class DescribeClusterRequest(_message.Message):
    __slots__ = ("stream_id", "id")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    id: int
    def __init__(self, stream_id: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class RenameClusterRequest(_message.Message):
    __slots__ = ("stream_id", "id", "name")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    id: int
    name: str
    def __init__(self, stream_id: _Optional[str] = ..., id: _Optional[int] = ..., name: _Optional[str] = ...) -> None: ...

class MergeClustersRequest(_message.Message):
    __slots__ = ("stream_id", "sources", "target")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    sources: _containers.RepeatedScalarFieldContainer[int]
    target: int
    def __init__(self, stream_id: _Optional[str] = ..., sources: _Optional[_Iterable[int]] = ..., target: _Optional[int] = ...) -> None: ...

class SplitClusterRequest(_message.Message):
    __slots__ = ("stream_id", "id")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    id: int
    def __init__(self, stream_id: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class ListExemplarsRequest(_message.Message):
    __slots__ = ("stream_id", "id")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    id: int
    def __init__(self, stream_id: _Optional[str] = ..., id: _Optional[int] = ...) -> None: ...

class ListExemplarsResponse(_message.Message):
    __slots__ = ("skeleton", "rate_hz", "exemplars")
    SKELETON_FIELD_NUMBER: _ClassVar[int]
    RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    EXEMPLARS_FIELD_NUMBER: _ClassVar[int]
    skeleton: Skeleton
    rate_hz: float
    exemplars: _containers.RepeatedCompositeFieldContainer[Exemplar]
    def __init__(self, skeleton: _Optional[_Union[Skeleton, _Mapping]] = ..., rate_hz: _Optional[float] = ..., exemplars: _Optional[_Iterable[_Union[Exemplar, _Mapping]]] = ...) -> None: ...

class Exemplar(_message.Message):
    __slots__ = ("start_us", "values")
    START_US_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    start_us: int
    values: bytes
    def __init__(self, start_us: _Optional[int] = ..., values: _Optional[bytes] = ...) -> None: ...

class MapClustersRequest(_message.Message):
    __slots__ = ("stream_id",)
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    def __init__(self, stream_id: _Optional[str] = ...) -> None: ...

class ClusterMap(_message.Message):
    __slots__ = ("clusters", "trail_x", "trail_y", "end_us", "moment_us", "radius")
    CLUSTERS_FIELD_NUMBER: _ClassVar[int]
    TRAIL_X_FIELD_NUMBER: _ClassVar[int]
    TRAIL_Y_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    MOMENT_US_FIELD_NUMBER: _ClassVar[int]
    RADIUS_FIELD_NUMBER: _ClassVar[int]
    clusters: _containers.RepeatedCompositeFieldContainer[MappedCluster]
    trail_x: _containers.RepeatedScalarFieldContainer[float]
    trail_y: _containers.RepeatedScalarFieldContainer[float]
    end_us: int
    moment_us: int
    radius: float
    def __init__(self, clusters: _Optional[_Iterable[_Union[MappedCluster, _Mapping]]] = ..., trail_x: _Optional[_Iterable[float]] = ..., trail_y: _Optional[_Iterable[float]] = ..., end_us: _Optional[int] = ..., moment_us: _Optional[int] = ..., radius: _Optional[float] = ...) -> None: ...

class MappedCluster(_message.Message):
    __slots__ = ("cluster", "x", "y")
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    cluster: int
    x: float
    y: float
    def __init__(self, cluster: _Optional[int] = ..., x: _Optional[float] = ..., y: _Optional[float] = ...) -> None: ...

class ForgetStreamRequest(_message.Message):
    __slots__ = ("stream_id",)
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    def __init__(self, stream_id: _Optional[str] = ...) -> None: ...

class ForgetStreamResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class KeptAnomaly(_message.Message):
    __slots__ = ("anomaly", "verdict", "fired")
    class FiredEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    ANOMALY_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FIRED_FIELD_NUMBER: _ClassVar[int]
    anomaly: Anomaly
    verdict: Verdict
    fired: _containers.ScalarMap[str, float]
    def __init__(self, anomaly: _Optional[_Union[Anomaly, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., fired: _Optional[_Mapping[str, float]] = ...) -> None: ...

class ListAnomaliesRequest(_message.Message):
    __slots__ = ("stream_id",)
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    def __init__(self, stream_id: _Optional[str] = ...) -> None: ...

class ListAnomaliesResponse(_message.Message):
    __slots__ = ("anomalies",)
    ANOMALIES_FIELD_NUMBER: _ClassVar[int]
    anomalies: _containers.RepeatedCompositeFieldContainer[KeptAnomaly]
    def __init__(self, anomalies: _Optional[_Iterable[_Union[KeptAnomaly, _Mapping]]] = ...) -> None: ...

class MarkAnomalyRequest(_message.Message):
    __slots__ = ("stream_id", "anomaly", "verdict")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    ANOMALY_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    anomaly: int
    verdict: Verdict
    def __init__(self, stream_id: _Optional[str] = ..., anomaly: _Optional[int] = ..., verdict: _Optional[_Union[Verdict, str]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("stream_id", "segment")
    STREAM_ID_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    stream_id: str
    segment: int
    def __init__(self, stream_id: _Optional[str] = ..., segment: _Optional[int] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("segment", "cluster", "name", "start_us", "end_us", "margin", "other", "other_name", "joints", "parts")
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    CLUSTER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    OTHER_FIELD_NUMBER: _ClassVar[int]
    OTHER_NAME_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    segment: int
    cluster: int
    name: str
    start_us: int
    end_us: int
    margin: float
    other: int
    other_name: str
    joints: _containers.RepeatedCompositeFieldContainer[JointWeight]
    parts: _containers.RepeatedCompositeFieldContainer[PartWeight]
    def __init__(self, segment: _Optional[int] = ..., cluster: _Optional[int] = ..., name: _Optional[str] = ..., start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., margin: _Optional[float] = ..., other: _Optional[int] = ..., other_name: _Optional[str] = ..., joints: _Optional[_Iterable[_Union[JointWeight, _Mapping]]] = ..., parts: _Optional[_Iterable[_Union[PartWeight, _Mapping]]] = ...) -> None: ...

class JointWeight(_message.Message):
    __slots__ = ("joint", "weight", "becomes")
    JOINT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    BECOMES_FIELD_NUMBER: _ClassVar[int]
    joint: str
    weight: float
    becomes: int
    def __init__(self, joint: _Optional[str] = ..., weight: _Optional[float] = ..., becomes: _Optional[int] = ...) -> None: ...

class PartWeight(_message.Message):
    __slots__ = ("start_us", "end_us", "weight", "becomes")
    START_US_FIELD_NUMBER: _ClassVar[int]
    END_US_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    BECOMES_FIELD_NUMBER: _ClassVar[int]
    start_us: int
    end_us: int
    weight: float
    becomes: int
    def __init__(self, start_us: _Optional[int] = ..., end_us: _Optional[int] = ..., weight: _Optional[float] = ..., becomes: _Optional[int] = ...) -> None: ...

class LoadModelRequest(_message.Message):
    __slots__ = ("name", "version")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    version: str
    def __init__(self, name: _Optional[str] = ..., version: _Optional[str] = ...) -> None: ...

class DrainRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class DrainResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShowConfigRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ShowConfigResponse(_message.Message):
    __slots__ = ("toml",)
    TOML_FIELD_NUMBER: _ClassVar[int]
    toml: str
    def __init__(self, toml: _Optional[str] = ...) -> None: ...
