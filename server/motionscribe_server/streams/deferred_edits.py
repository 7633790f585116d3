"""Makes the edits of a durable stream that waited until its session had told everything again.

In: edits that the store has made already (kept_edits.py), word that it is time. Out: the same edits in the session, one
after another. What a session cannot make is dropped and logged; where its worker is gone, the rest stays in the store.
"""

import asyncio
import logging

from motionscribe_models.errors import ContractError
from motionscribe_server.errors import ServerError, UnavailableError
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.durability import Durability
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)


class DeferredEdits:
    """Of the session `link`, whose clusters `saver` saves afterwards."""

    def __init__(self, name: str, link: Link, saver: ClusterSaver, durability: Durability) -> None:
        self._name = name
        self._link = link
        self._saver = saver
        self._durability = durability
        self._making: asyncio.Task[None] | None = None
        self._asked = 0  # the last ticket: none is asked for twice, since its answer may be late
        self._is_stopped = False

    def begin(self) -> None:
        """Makes those whose turn it is, unless that goes on already. The session's answers tell of them."""
        if not (self._making or self._is_stopped) and self._next():
            self._making = asyncio.create_task(self._make())

    def stop(self) -> None:
        """The stream is given up: its answers are not noted any more."""
        self._is_stopped = True

    async def wait(self) -> None:
        """Returns when those that were begun are made, or cannot be."""
        if self._making:
            await self._making

    def _next(self) -> bool:
        following = self._durability.edits.deferred
        return following is not None and following[0] > self._asked

    async def _make(self) -> None:
        try:
            while self._next() and not self._is_stopped and (following := self._durability.edits.deferred):
                self._asked, edit = following
                try:
                    await self._link.edit(edit)
                except UnavailableError:
                    raise
                except (ContractError, ServerError):
                    log.exception("stream %s cannot make %s", self._name, edit)
                    self._durability.drop_edit(self._asked)
        except UnavailableError as error:
            log.warning("stream %s has edits that wait: %s", self._name, error)
        except Exception:
            log.exception("edits of stream %s are not made", self._name)
        finally:
            self._making = None
            self._saver.mark_unsaved()
