"""Saves the clusters and anomalies of one stream when they changed, and never after the stream was deleted or replaced.

In: notes that they changed. Out: what the session has, in the store. The stream decides which changes count.
"""

import asyncio
import logging

from motionscribe_server.engine.messages import SessionClusters
from motionscribe_server.errors import StoreError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.store import Owner, Store
from motionscribe_server.streams.durability import Durability
from motionscribe_server.streams.stream_info import StreamInfo
from motionscribe_server.streams.to_the_end import to_the_end
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)


class ClusterSaver:
    """Saves the clusters of the session `link` for the stream `info`, as its owner where it has a `durability`.

    `is_noted`: the store knows that this session has the stream.
    """

    def __init__(
        self,
        info: StreamInfo,
        link: Link,
        store: AsyncStore,
        metrics: Metrics,
        durability: Durability | None,
        is_noted: bool = True,
    ) -> None:
        self._info = info
        self._link = link
        self._store = store
        self._metrics = metrics
        self._durability = durability
        self._is_noted = is_noted
        self._has_saved = False
        self._is_unsaved = False
        self._is_stopped = False
        self._saving = asyncio.Lock()

    def mark_unsaved(self) -> None:
        """The clusters or anomalies changed."""
        self._is_unsaved = True

    @property
    def is_settled(self) -> bool:
        """The store has the clusters as they are."""
        return self._has_saved and not self._is_unsaved and not self._saving.locked()

    def stop(self) -> None:
        """The stream is over: from now on nothing is saved."""
        self._is_stopped = True

    async def save_if_changed(self) -> None:
        """A full disk must not end streams: what could not be saved is tried again with the next change.

        Raises FencedError.
        """
        async with self._saving:
            if not self._is_unsaved:
                return
            self._is_unsaved = False
            try:
                if not self._is_stopped:
                    await self.save(await self._link.clusters())
            except asyncio.CancelledError:
                self.mark_unsaved()
                raise
            except (StoreError, UnavailableError):
                log.exception("clusters of %s are not saved", self._info.name)
                self._metrics.store_failures.inc()

    async def save(self, found: SessionClusters) -> None:
        """Saves what the session said, after the events it speaks of: whoever repeats them has all that is listed.

        Raises StoreError, UnavailableError, and FencedError where the stream went to another owner.
        """
        if not self._is_stopped:
            if self._durability:
                await self._durability.flush()
            info, is_noted = self._info, self._is_noted

            def save(store: Store, epoch: int | None = None) -> None:
                if not is_noted:
                    store.begin(info.key, info.name)
                owner = Owner(info.name, epoch)
                store.save(info.model.key, info.key, found.next_cluster, found.clusters, owner, found.book)

            await (self._durability.as_owner(save) if self._durability else to_the_end(self._store.run(save)))
            self._is_noted = self._has_saved = True
