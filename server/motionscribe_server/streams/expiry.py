"""How long the store keeps what nobody uses, and that it keeps what is in use.

In: the keys of the streams that this server has, again and again. Out: renewed and deleted streams in the store.

Nothing is deleted at first sight: it must have been too old twice, EXPIRE_EVERY_S apart, and not used between. In that
time every server has renewed what it has, so that a clock that jumps deletes nothing that is in use anywhere.
"""

import logging
from collections.abc import Collection, Sequence

from motionscribe_server.settings import StorageSettings
from motionscribe_server.storage.async_store import AsyncStore
from motionscribe_server.storage.unused import Kept, Unused

log = logging.getLogger(__name__)

RENEW_EVERY_S = 60.0
EXPIRE_EVERY_S = 300.0
"""Several times RENEW_EVERY_S: a server may be late."""
BATCH = 50
"""Streams deleted at a time: others wait for the store no longer than that takes."""


class Expiry:
    """Of one server. Raises StoreError."""

    def __init__(self, settings: StorageSettings, store: AsyncStore) -> None:
        self._ages_s = ages_s(settings)
        self._store = store
        self._found: set[Unused] = set()

    async def renew(self, in_use: Collection[str]) -> None:
        """The streams of these keys are in use."""
        await self._store.run(lambda store: store.renew(in_use))

    async def expire(self, in_use: Collection[str]) -> None:
        """Deletes what was too old already when it was last called, and was not used since."""
        before, self._found = self._found, set()
        for kept, age_s in self._ages_s.items():
            found = await self._find(kept, age_s)
            self._found |= {each for each in found if each.stream not in in_use}
        old, deleted = list(before & self._found), 0
        for first in range(0, len(old), BATCH):
            deleted += await self._delete(old[first : first + BATCH])
        if deleted:
            log.info("%d streams or checkpoints that nobody used for long are deleted", deleted)

    async def _find(self, kept: Kept, age_s: float) -> list[Unused]:
        return await self._store.run(lambda store: store.unused(kept, age_s))

    async def _delete(self, unused: Sequence[Unused]) -> int:
        return await self._store.run(lambda store: store.expire(unused))


def ages_s(settings: StorageSettings) -> dict[Kept, float]:
    """After how many seconds without use each is deleted; what is kept for ever is not there."""
    named, unnamed = settings.keep_clusters_s, settings.keep_unnamed_s
    found = {Kept.CHECKPOINT: settings.keep_checkpoints_s}
    if named:
        found[Kept.NAMED] = named
    if limits := [age_s for age_s in (named, unnamed) if age_s]:
        found[Kept.UNNAMED] = min(limits)
    return found
