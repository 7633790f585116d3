"""Makes the edits of a durable stream that waited until its session had told everything again.

In: edits that the store has made already (kept_edits.py), word that it is time. Out: the same edits in the session, one
after another. What a session cannot make is dropped and logged; where its worker is gone, the rest stays in the store.
"""

import asyncio
import logging
from collections.abc import Callable

from motionscribe_models.errors import ContractError
from motionscribe_server.errors import ServerError, UnavailableError
from motionscribe_server.session.edits import Edit
from motionscribe_server.storage.checkpoints import Numbered
from motionscribe_server.streams.cluster_saver import ClusterSaver
from motionscribe_server.streams.durability import Durability
from motionscribe_server.workers.process import Link

log = logging.getLogger(__name__)


class DeferredEdits:
    """Of the session `link`, whose clusters `saver` saves afterwards. Without `durability` there are none."""

    def __init__(
        self,
        name: str,
        link: Link,
        saver: ClusterSaver,
        durability: Durability | None,
        is_their_turn: Callable[[], bool],
    ) -> None:
        self._name = name
        self._link = link
        self._saver = saver
        self._durability = durability
        self._is_their_turn = is_their_turn
        self._making: asyncio.Task[None] | None = None
        self._asked = 0  # the last ticket: none is asked for twice, since its answer may be late
        self._is_stopped = False

    def add(self, rows: Numbered) -> None:
        """The store has made these; now it is the session's turn, sooner or later."""
        if self._durability:
            self._durability.edits.defer(rows)
            self.begin()

    async def make(self) -> None:
        """Looks for those that were answered elsewhere; returns when all whose turn it is are made, or cannot be."""
        if self._durability and not self._is_stopped:
            await self._durability.read_deferred()
            self.begin()
            await self.wait()

    @property
    def any_wait(self) -> bool:
        """The session has not made all of them."""
        return self._durability is not None and self._durability.edits.any_wait

    def begin(self) -> None:
        """Makes those whose turn it is, unless that goes on already. The session's answers tell of them."""
        if not (self._making or self._is_stopped) and self._is_their_turn() and self._next():
            self._making = asyncio.create_task(self._make())

    def stop(self) -> None:
        """The stream is given up: its answers are not noted any more."""
        self._is_stopped = True

    async def wait(self) -> None:
        """Returns when those that were begun are made, or cannot be."""
        if self._making:
            await self._making

    def _next(self) -> tuple[int, Edit] | None:
        following = self._durability.edits.deferred if self._durability else None
        return following if following is not None and following[0] > self._asked else None

    async def _make(self) -> None:
        try:
            while not self._is_stopped and (following := self._next()):
                self._asked, edit = following
                try:
                    await self._link.edit(edit)
                except UnavailableError:
                    raise
                except (ContractError, ServerError):
                    log.exception("stream %s cannot make %s", self._name, edit)
                    if self._durability:
                        self._durability.drop_edit(self._asked)
        except UnavailableError as error:
            log.warning("stream %s has edits that wait: %s", self._name, error)
        except Exception:
            log.exception("edits of stream %s are not made", self._name)
        finally:
            self._making = None
            self._saver.mark_unsaved()
