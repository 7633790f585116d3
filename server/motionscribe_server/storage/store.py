"""What streams learnt, kept for later sessions, in a SQLite file, or in Redis for servers on several machines.

Kept are clusters with the names and merges that users gave, the next free cluster id, and checkpoints of durable
streams (checkpoints.py).

In and out: ClusterState of one stream id under one model, "name/version": another version embeds motion otherwise, so
centres do not carry over. Ids are never reused, not even when the clusters that had them are gone. Calls block: keep
them off the event loop, in one thread at a time.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.storage.checkpoints import Checkpoints


@dataclass(frozen=True)
class StoredStream:
    """What is kept of one stream id under one model."""

    next_id: int
    """First cluster id that the stream never used, under whatever model; 1 for an unknown stream."""
    clusters: tuple[ClusterState, ...]
    """In ascending order of id."""


class Store(Protocol):
    """Raises StoreError where it cannot be read, written, or was written by a newer version."""

    @property
    def checkpoints(self) -> Checkpoints:
        """What is kept of durable streams."""

    def load(self, model: str, stream: str) -> StoredStream:
        """What is known of a stream; no clusters where it was never saved under this model."""

    def model_of(self, stream: str) -> str | None:
        """The model under which a stream was saved last, None where it never was."""

    def save(self, model: str, stream: str, next_id: int, clusters: Sequence[ClusterState]) -> None:
        """Replaces what is kept of a stream, as a whole. `next_id` never falls."""

    def forget(self, stream: str) -> bool:
        """Deletes all of a stream, under whatever model, and its checkpoint; returns whether there was anything."""

    def expire(self, before_s: float, open_streams: Collection[str]) -> int:
        """Forgets streams that were saved last before, in seconds since 1970, and are not open; returns how many."""

    def close(self) -> None:
        """Nothing is asked of it any more."""
