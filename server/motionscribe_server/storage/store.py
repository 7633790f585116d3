"""What streams learnt, kept for later sessions, in a SQLite file, or in Redis for servers on several machines.

Kept are clusters with the names and merges that users gave, anomalies with what users said of them, the next free id of
either, and checkpoints of durable streams (checkpoints.py).

In and out: ClusterState and PackedBook of one stream id under one model, "name/version": another version embeds motion
otherwise, so centres do not carry over. Ids are never reused, not even when the clusters that had them are gone. Calls
block: keep them off the event loop, in one thread at a time. None costs more because many ids are kept.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from motionscribe_server.errors import FencedError
from motionscribe_server.session.anomaly_book import PackedBook
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.checkpoints import Checkpoints
from motionscribe_server.storage.unused import Kept, Unused
from motionscribe_server.stream_keys import id_of

NO_ANOMALIES = PackedBook()


@dataclass(frozen=True)
class StoredStream:
    """What is kept of one stream id under one model."""

    next_id: int
    """First cluster id that the stream never used, under whatever model; 1 for an unknown stream."""
    clusters: tuple[ClusterState, ...]
    """In ascending order of id."""
    book: PackedBook = NO_ANOMALIES
    """Its anomalies under that model; `next_id` is the first that the stream never used, under whatever model."""

    @property
    def is_named(self) -> bool:
        """A user gave a name, or said something of an anomaly: it is kept for longer."""
        return self.book.marks > 0 or any(cluster.given_name for cluster in self.clusters)


@dataclass(frozen=True)
class Owner:
    """Who may save what a stream learnt."""

    session: str
    """Unique name of the session that has it."""
    epoch: int | None = None
    """Of a durable stream."""


def lost_session(stream: str) -> FencedError:
    """The error for an owner that has a stream no more."""
    return FencedError(f"stream {id_of(stream)!r} was begun anew or deleted, here or at another server")


class Edited(NamedTuple):
    """What an edit led to."""

    stream: StoredStream
    ticket: int | None
    """Of the deferred edit, where there is one."""


class Store(Protocol):
    """Raises StoreError where it cannot be read, written, or was written by a newer version."""

    @property
    def checkpoints(self) -> Checkpoints:
        """What is kept of durable streams."""

    def load(self, model: str, stream: str) -> StoredStream:
        """What is known of a stream; no clusters where it was never saved under this model."""

    def model_of(self, stream: str) -> str | None:
        """The model under which a stream was saved last, None where it never was."""

    def begin(self, stream: str, session: str) -> None:
        """A new live session has the stream from now on, which is not durable any more."""

    def save(
        self,
        model: str,
        stream: str,
        next_id: int,
        clusters: Sequence[ClusterState],
        owner: Owner | None = None,
        book: PackedBook = NO_ANOMALIES,
    ) -> None:
        """Replaces the clusters and anomalies that are kept of a stream, as a whole. No `next_id` falls.

        Raises FencedError where `owner` has the stream no more: another session began, here or elsewhere, or it was
        deleted.
        """

    def edit(self, stream: str, change: Callable[[StoredStream], StoredStream], row: bytes) -> Edited | None:
        """What `change` makes of a stream under the model that it had last, saved; None for an unknown stream.

        Nobody else saves or edits in between. `row` is deferred for the owner of a durable stream that is not over.
        Nothing changes where `change` raises; it may be called again.
        """

    def forget(self, stream: str) -> bool:
        """Deletes all of a stream, under whatever model, and its checkpoint; returns whether there was anything."""

    def reserve(self, stream: str, limit: int, age_s: float, in_use: Collection[str]) -> None:
        """Notes the id of a stream that is about to open; a `limit` of 0 is none.

        A new id of a tenant that has `limit` of them takes the place of one without a name: the one that was unused
        longest, for `age_s` seconds at least, and is not `in_use`. Raises ExhaustedError where there is none.
        """

    def renew(self, streams: Collection[str]) -> None:
        """They are in use now: what is kept of them, checkpoints too, is not old. Saves and checkpoints do the same."""

    def unused(self, kept: Kept, age_s: float) -> list[Unused]:
        """Up to AT_ONCE streams that nobody used for `age_s` seconds, by the store's clock."""

    def expire(self, unused: Sequence[Unused]) -> int:
        """Deletes what nobody has used since it was found; returns how many."""

    def close(self) -> None:
        """Nothing is asked of it any more."""
