"""Makes the edits of a durable stream that waited until its session had told everything again.

In: edits that the store has made already (kept_edits.py), word that it is time. Out: the same edits in the session, one
after another. What a session cannot make is dropped and logged; where its worker is gone, the rest stays in the store.
"""

import asyncio
import logging

from motionscribe_models.errors import ContractError
from motionscribe_server.errors import ServerError, UnavailableError
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.kept_edits import KeptEdits
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)


class DeferredEdits:
    """Of the session `link`, whose clusters `saver` saves afterwards."""

    def __init__(self, name: str, link: Link, saver: ClusterSaver) -> None:
        self._name = name
        self._link = link
        self._saver = saver
        self._making: asyncio.Task[None] | None = None

    def begin(self, edits: KeptEdits) -> None:
        """Makes those that have no place, unless that goes on already. The session's answers tell `edits` of it."""
        if edits.deferred and not self._making:
            self._making = asyncio.create_task(self._make(edits))

    async def wait(self) -> None:
        """Returns when those that were begun are made."""
        if self._making:
            await self._making

    async def _make(self, edits: KeptEdits) -> None:
        try:
            while edit := edits.deferred:
                try:
                    await self._link.edit(edit)
                except UnavailableError:
                    raise
                except (ContractError, ServerError):
                    log.exception("stream %s cannot make %s", self._name, edit)
                    edits.drop_deferred()
        except UnavailableError as error:
            log.warning("stream %s has edits that wait: %s", self._name, error)
        finally:
            self._making = None
            self._saver.mark_unsaved()
