"""The events that a stream yields, for `match`: `case events.SegmentEnded(name=name)`. The server shares them."""

from motionscribe_proto.events import (
    Anomaly,
    AnomalyScores,
    ClusterCreated,
    ClusterMerged,
    ClusterNamed,
    ClusterSplit,
    ClusterTableFull,
    Degraded,
    Event,
    Gap,
    Label,
    Restarted,
    SegmentEnded,
    SegmentStarted,
)

__all__ = [
    "Anomaly",
    "AnomalyScores",
    "ClusterCreated",
    "ClusterMerged",
    "ClusterNamed",
    "ClusterSplit",
    "ClusterTableFull",
    "Degraded",
    "Event",
    "Gap",
    "Label",
    "Restarted",
    "SegmentEnded",
    "SegmentStarted",
]
