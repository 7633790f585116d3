"""Clusters of streams that nobody has open: found and edited in the store, by the rules that a session's clusterer has.

In: a Store and the key of a stream. Out: its ClusterStates under the model that it had last. Calls block.
"""

from collections.abc import Sequence

from motionscribe_server.errors import NotFoundError
from motionscribe_server.session.clustering import ClusterState, DPMeans
from motionscribe_server.session.edits import Edit, PlacedEdit, edit_to_bytes
from motionscribe_server.storage.checkpoints import Numbered
from motionscribe_server.storage.store import Store, StoredStream
from motionscribe_server.stream_keys import id_of


def read_clusters(store: Store, stream: str) -> Sequence[ClusterState]:
    """Raises NotFoundError, StoreError."""
    return _find(store, stream)[1].clusters


def edit_clusters(store: Store, stream: str, edit: Edit) -> tuple[Sequence[ClusterState], Numbered]:
    """The clusters after `edit`, saved; for a durable stream that may go on, its ticket and row among deferred edits.

    Raises NotFoundError, StoreError and what `edit` raises.
    """
    row = edit_to_bytes(PlacedEdit(0, edit))

    def change(stored: StoredStream) -> StoredStream:
        if not stored.clusters:
            raise NotFoundError(f"expected a stream with clusters, got {id_of(stream)!r}, which has none")
        clusterer = DPMeans(len(stored.clusters[0].centre), stored.clusters, stored.next_id)
        edit.apply(clusterer)
        return StoredStream(clusterer.next_id, tuple(clusterer.clusters()))

    edited = store.edit(stream, change, row)
    if edited is None:
        raise unknown_stream(stream)
    return edited.stream.clusters, [] if edited.ticket is None else [(edited.ticket, row)]


def unknown_stream(stream: str) -> NotFoundError:
    """The error for a stream of which nothing is there."""
    return NotFoundError(f"expected a stream that is live or was, got {id_of(stream)[:200]!r}")


def _find(store: Store, stream: str) -> tuple[str, StoredStream]:
    model = store.model_of(stream)
    if model is None:
        raise unknown_stream(stream)
    return model, store.load(model, stream)
