"""Events for sinks on a network, one of each kind, and what arrives of them."""

import json
from collections.abc import Iterable

from motionscribe.events import (
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
from motionscribe_proto.events import to_dict

SPAN = (1, 11, 100_000, 200_000)
EVERY_EVENT: tuple[Event, ...] = (
    ClusterCreated(7, 100_000),
    SegmentStarted(1, 7, "walk", 1, 100_000),
    Label(*SPAN, 7, 0.75, False),
    Label(*SPAN, 7, 1.0, True),
    AnomalyScores(*SPAN, 0.5, 2.0, 40.0),
    Anomaly(3, True, *SPAN, "motion fault", "power", "begun", 0.25, ("left_knee", "hips"), (3.0, -2.5), 0),
    Anomaly(3, False, *SPAN, "motion fault", "power", "ended", 0.25, ("left_knee", "hips"), (3.0, -2.5), 0),
    Degraded(1, True, *SPAN, ("left_wrist",)),
    ClusterMerged(8, 7, 150_000),
    ClusterSplit(8, 7, 160_000),
    ClusterNamed(7, "stroll", 165_000),
    ClusterTableFull(64, 9, 170_000),
    SegmentEnded(1, 7, "walk", *SPAN),
    Gap(11, 11, 200_000, 900_000),
    Restarted(11, 900_000, "its clock was set"),
)


def finals(count: int) -> list[Event]:
    """Final labels, none of which may be lost; their numbers tell them apart."""
    return [Label(n, n + 1, n, n + 1, 7, 1.0, True) for n in range(1, count + 1)]


def numbers(texts: Iterable[str]) -> list[int]:
    """Which of `finals` they are, in the order in which they came."""
    return [json.loads(text)["start_seq"] for text in texts]


def fields(text: str) -> dict[str, object]:
    """A message without what only messages have: what `to_dict` gives of its event."""
    values = json.loads(text)
    return {key: values[key] for key in to_dict(EVERY_EVENT[0]) | values if key not in ("id", "stream", "time")}
