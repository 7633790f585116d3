"""What a user may change of a stream, its clusters and what is said of its anomalies, as values that can be kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from motionscribe_proto.events import Event
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.session.clustering import ClusterState


class Learnt(Protocol):
    """What can be edited: a Session, or what a store keeps of one."""

    def clusters(self) -> list[ClusterState]:
        """All that is remembered, in ascending order of id."""

    def rename(self, id: int, name: str) -> Sequence[Event] | None:
        """Raises UnknownClusterError, ClusterError."""

    def merge(self, sources: Sequence[int], target: int) -> Sequence[Event] | None:
        """Raises UnknownClusterError, ClusterError."""

    def split(self, id: int) -> Sequence[Event] | None:
        """Raises UnknownClusterError, ClusterError."""

    def mark(self, id: int, verdict: Verdict) -> Sequence[Event]:
        """Raises NotFoundError, ExhaustedError."""


@dataclass(frozen=True)
class Rename:
    """A name for a cluster, or none."""

    id: int
    name: str

    def apply(self, learnt: Learnt) -> Sequence[Event]:
        """The events that tell of it. Raises what `learnt` raises."""
        return learnt.rename(self.id, self.name) or ()


@dataclass(frozen=True)
class Merge:
    """Clusters that become part of another one."""

    sources: tuple[int, ...]
    target: int

    def apply(self, learnt: Learnt) -> Sequence[Event]:
        """The events that tell of it. Raises what `learnt` raises."""
        return learnt.merge(self.sources, self.target) or ()


@dataclass(frozen=True)
class Split:
    """A cluster that stands for itself again."""

    id: int

    def apply(self, learnt: Learnt) -> Sequence[Event]:
        """The events that tell of it. Raises what `learnt` raises."""
        return learnt.split(self.id) or ()


@dataclass(frozen=True)
class Mark:
    """What a user says of an anomaly; "none" takes it back."""

    anomaly: int
    verdict: Verdict

    def apply(self, learnt: Learnt) -> Sequence[Event]:
        """The events that tell of it. Raises what `learnt` raises."""
        return learnt.mark(self.anomaly, self.verdict)


Edit = Rename | Merge | Split | Mark


@dataclass(frozen=True)
class PlacedEdit:
    """An edit of a session, and where in its frames it took effect: whoever repeats both hears the same events."""

    place: int
    """Steps that the session had answered, one more for an edit after its end; 0 where it has no place yet."""
    edit: Edit


def edit_to_bytes(placed: PlacedEdit) -> bytes:
    """As JSON."""
    match placed.edit:
        case Rename(id, name):
            fields = {"rename": id, "name": name}
        case Merge(sources, target):
            fields = {"merge": sources, "into": target}
        case Split(id):
            fields = {"split": id}
        case Mark(anomaly, verdict):
            fields = {"mark": anomaly, "as": verdict}
    return json.dumps({**fields, "place": placed.place}).encode()


def edit_from_bytes(data: bytes) -> PlacedEdit:
    """The inverse."""
    fields = json.loads(data)
    if "rename" in fields:
        return PlacedEdit(fields["place"], Rename(fields["rename"], fields["name"]))
    if "split" in fields:
        return PlacedEdit(fields["place"], Split(fields["split"]))
    if "mark" in fields:
        return PlacedEdit(fields["place"], Mark(fields["mark"], fields["as"]))
    return PlacedEdit(fields["place"], Merge(tuple(fields["merge"]), fields["into"]))
