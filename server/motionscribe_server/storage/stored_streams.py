"""Streams that nobody has open: found and edited in the store, by the rules that a session has.

In: a Store and the key of a stream. Out: what it learnt under the model that it had last. Calls block.
"""

from collections.abc import Sequence

from motionscribe_proto.events import Event
from motionscribe_proto.verdicts import Verdict
from motionscribe_server.errors import NotFoundError
from motionscribe_server.session.anomaly_book import AnomalyBook
from motionscribe_server.session.clustering import ClusterState, DPMeans
from motionscribe_server.session.edits import Edit, PlacedEdit, edit_to_bytes
from motionscribe_server.storage.checkpoints import Numbered
from motionscribe_server.storage.store import Store, StoredStream
from motionscribe_server.stream_keys import id_of


def read_stored(store: Store, stream: str) -> StoredStream:
    """Raises NotFoundError, StoreError."""
    model = store.model_of(stream)
    if model is None:
        raise unknown_stream(stream)
    return store.load(model, stream)


def edit_stored(store: Store, stream: str, edit: Edit) -> tuple[StoredStream, Numbered]:
    """The stream after `edit`, saved; for a durable one that may go on, its ticket and row among deferred edits.

    Raises NotFoundError, StoreError and what `edit` raises.
    """
    row = edit_to_bytes(PlacedEdit(0, edit))

    def change(stored: StoredStream) -> StoredStream:
        learnt = _Stored(stream, stored)
        edit.apply(learnt)
        return learnt.stored()

    edited = store.edit(stream, change, row)
    if edited is None:
        raise unknown_stream(stream)
    return edited.stream, [] if edited.ticket is None else [(edited.ticket, row)]


def unknown_stream(stream: str) -> NotFoundError:
    """The error for a stream of which nothing is there."""
    return NotFoundError(f"expected a stream that is live or was, got {id_of(stream)[:200]!r}")


class _Stored:
    """What a store has of a stream, as something that can be edited."""

    def __init__(self, stream: str, before: StoredStream) -> None:
        self._stream = stream
        self._before = before
        self._clusterer: DPMeans | None = None
        self._book: AnomalyBook | None = None

    def clusters(self) -> list[ClusterState]:
        return self._edited_clusters().clusters()

    def rename(self, id: int, name: str) -> None:
        self._edited_clusters().rename(id, name)

    def merge(self, sources: Sequence[int], target: int) -> None:
        self._edited_clusters().merge(sources, target)

    def split(self, id: int) -> None:
        self._edited_clusters().split(id)

    def mark(self, id: int, verdict: Verdict) -> Sequence[Event]:
        self._book = AnomalyBook(self._before.book)
        self._book.mark(id, verdict)
        return ()

    def stored(self) -> StoredStream:
        """As it is after the edits."""
        book = self._book.packed() if self._book else self._before.book
        if self._clusterer is None:
            return StoredStream(self._before.next_id, self._before.clusters, book)
        return StoredStream(self._clusterer.next_id, tuple(self._clusterer.clusters()), book)

    def _edited_clusters(self) -> DPMeans:
        before = self._before
        if not before.clusters:
            raise NotFoundError(f"expected a stream with clusters, got {id_of(self._stream)!r}, which has none")
        if self._clusterer is None:
            self._clusterer = DPMeans(len(before.clusters[0].centre), before.clusters, before.next_id)
        return self._clusterer
