"""Names and merges come later than the segments that they hold for: segments with what is known at last. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from motionscribe.events import ClusterNamed, Event, SegmentEnded, SegmentStarted

Naming = SegmentStarted | SegmentEnded | ClusterNamed
"""Events that say what `cluster` is called."""


def names_in(events: Sequence[Event]) -> dict[int, str]:
    """Cluster -> the name that the events say last; an empty one was taken away."""
    return {event.cluster: event.name for event in events if isinstance(event, Naming)}


def finally_named(
    events: Sequence[Event], names: Mapping[int, str], merged_into: Mapping[int, int | None]
) -> list[Event]:
    """The events, segments with the cluster and the name of now. A cluster of `names` without a name has ""."""

    def now(event: SegmentEnded) -> SegmentEnded:
        cluster = _target(event.cluster, merged_into)
        name = names.get(cluster, "")
        return replace(event, cluster=cluster, name=name, guessed=event.guessed and name == event.name)

    return [now(event) if isinstance(event, SegmentEnded) else event for event in events]


def _target(cluster: int, merged_into: Mapping[int, int | None]) -> int:
    for _ in merged_into:  # a chain is no longer, whatever a file says
        cluster = merged_into.get(cluster) or cluster
    return cluster
