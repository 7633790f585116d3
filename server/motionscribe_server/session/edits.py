"""What a user may change of a stream's clusters, as values that travel and can be kept."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from motionscribe_proto.events import Event
from motionscribe_server.session.clustering import ClusterState


class ClusterBook(Protocol):
    """Clusters that can be named and merged: a Session or a clusterer."""

    def clusters(self) -> list[ClusterState]:
        """All that is remembered, in ascending order of id."""

    def rename(self, id: int, name: str) -> None:
        """Raises UnknownClusterError, ClusterError."""

    def merge(self, sources: Sequence[int], target: int) -> Sequence[Event] | None:
        """Raises UnknownClusterError, ClusterError."""


@dataclass(frozen=True)
class Rename:
    """A name for a cluster, or none."""

    id: int
    name: str

    def apply(self, book: ClusterBook) -> Sequence[Event]:
        """Raises what `book` raises."""
        book.rename(self.id, self.name)
        return ()


@dataclass(frozen=True)
class Merge:
    """Clusters that become part of another one."""

    sources: tuple[int, ...]
    target: int

    def apply(self, book: ClusterBook) -> Sequence[Event]:
        """The events that tell of it. Raises what `book` raises."""
        return book.merge(self.sources, self.target) or ()


Edit = Rename | Merge


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
    return json.dumps({**fields, "place": placed.place}).encode()


def edit_from_bytes(data: bytes) -> PlacedEdit:
    """The inverse."""
    fields = json.loads(data)
    if "rename" in fields:
        return PlacedEdit(fields["place"], Rename(fields["rename"], fields["name"]))
    return PlacedEdit(fields["place"], Merge(tuple(fields["merge"]), fields["into"]))
