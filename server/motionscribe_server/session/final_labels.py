"""Final labels: the oldest moments get the label that never changes, become segments, and are counted.

In: moments in order, each once. Out: ClusterCreated for ids that nobody has seen, and what the timeline says.
"""

from collections.abc import Callable

from motionscribe_models.state import State
from motionscribe_proto.events import ClusterCreated, Event
from motionscribe_server.session.cluster_counts import ClusterCounts
from motionscribe_server.session.clustering import OnlineClusterer
from motionscribe_server.session.default_names import Name
from motionscribe_server.session.labeller import Labeller
from motionscribe_server.session.span import Span
from motionscribe_server.session.timeline import Timeline


class FinalLabels:
    """The open segment of one stream, and the rule by which it ends."""

    def __init__(
        self,
        labeller: Labeller,
        clusterer: OnlineClusterer,
        counts: ClusterCounts,
        name: Callable[[int], Name],
        hold: int,
    ) -> None:
        """A label that would change for less than `hold` moments is not changed. `name` is what a cluster is called."""
        self._labeller = labeller
        self._clusterer = clusterer
        self._counts = counts
        self._name = name
        self._hold = hold
        self._timeline = Timeline()

    @property
    def open_cluster(self) -> int:
        """Cluster of the open segment, 0 when there is none."""
        return self._timeline.cluster

    def add(self, moment: int, span: Span, beyond: int) -> list[Event]:
        """`moment` is final; those from it up to `beyond` have labels."""
        id = self._choose(moment, beyond)
        events: list[Event] = []
        if self._labeller.make_final(id):
            events.append(ClusterCreated(id, span.start_us))
        self._counts.add(id, span, begins=id != self._timeline.cluster)
        return events + self._timeline.add(span, id, self._name(id), self._open_name())

    def end(self, tail: Span | None) -> list[Event]:
        """The timeline ends here; `tail` frames that no moment covers are too few to know, and of cluster 0."""
        events: list[Event] = []
        if tail is not None:
            events += self._timeline.add(tail, 0, Name(""), self._open_name())
        return events + self._timeline.end(self._open_name())

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"timeline": self._timeline.state()}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._timeline.restore(state["timeline"])

    def _choose(self, moment: int, beyond: int) -> int:
        """Label of a moment; another one than the open segment's only where it is held."""
        id = self._labeller.label(moment)
        before = self._clusterer.resolve(self._timeline.cluster) or self._timeline.cluster
        ahead = range(moment, min(moment + self._hold, beyond))
        if before and any(self._labeller.label(m) != id for m in ahead):
            return before
        return id

    def _open_name(self) -> Name:
        return self._name(self._timeline.cluster)
