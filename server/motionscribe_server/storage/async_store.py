"""The store as the event loop sees it: one thread that reads, writes and edits, in the order it was asked.

In: stream ids, model keys, ClusterStates. Out: the same, awaited. Clusters of streams that nobody has open are edited
here by the rules that a session's clusterer has.
"""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from motionscribe_server.errors import NotFoundError
from motionscribe_server.session.clustering import ClusterState, DPMeans
from motionscribe_server.session.edits import Edit
from motionscribe_server.storage.store import Store, StoredStream
from motionscribe_server.stream_keys import id_of

T = TypeVar("T")


class AsyncStore:
    """Owns `store`, and closes it. Raises StoreError."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(1, "store")

    async def load(self, model: str, stream: str) -> StoredStream:
        """See Store.load."""
        return await self.run(lambda store: store.load(model, stream))

    async def save(self, model: str, stream: str, next_id: int, clusters: Sequence[ClusterState]) -> None:
        """See Store.save."""
        await self.run(lambda store: store.save(model, stream, next_id, clusters))

    async def clusters(self, stream: str) -> Sequence[ClusterState]:
        """Clusters of a stream under the model that it had last. Raises NotFoundError."""
        return await self.run(lambda _: self._find(stream)[1].clusters)

    async def edit(self, stream: str, edit: Edit) -> Sequence[ClusterState]:
        """The same, after `edit`. Raises NotFoundError and what `edit` raises."""
        return await self.run(lambda _: self._edit(stream, edit))

    async def forget(self, stream: str, known: bool) -> None:
        """See Store.forget. Raises NotFoundError where nothing of a stream is there that is not `known` otherwise."""
        if not await self.run(lambda store: store.forget(stream)) and not known:
            raise _unknown(stream)

    async def run(self, work: Callable[[Store], T]) -> T:
        """What `work` makes of the store. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._store)

    async def close(self) -> None:
        """Returns when all that was asked for is done."""
        await self.run(Store.close)
        self._thread.shutdown()

    def _find(self, stream: str) -> tuple[str, StoredStream]:
        model = self._store.model_of(stream)
        if model is None:
            raise _unknown(stream)
        return model, self._store.load(model, stream)

    def _edit(self, stream: str, edit: Edit) -> Sequence[ClusterState]:
        model, stored = self._find(stream)
        if not stored.clusters:
            raise NotFoundError(f"expected a stream with clusters, got {id_of(stream)!r}, which has none")
        clusterer = DPMeans(len(stored.clusters[0].centre), stored.clusters, stored.next_id)
        edit.apply(clusterer)
        self._store.save(model, stream, clusterer.next_id, clusterer.clusters())
        return clusterer.clusters()


def _unknown(stream: str) -> NotFoundError:
    return NotFoundError(f"expected a stream that is live or was, got {id_of(stream)[:200]!r}")
