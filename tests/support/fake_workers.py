"""Workers without processes: sessions that compute nothing and answer at once, unless a test holds them up."""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.messages import Answer, SessionClusters
from motionscribe_server.errors import UnavailableError
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.edits import Edit
from motionscribe_server.storage.async_store import AsyncStore


class Gate:
    """Open at first. While it is shut, whoever came waits; `new` lets later ones pass."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        self._event.set()
        self.waiting = 0

    def shut(self) -> None:
        """From now on everybody waits."""
        self._event.clear()

    def open(self) -> None:
        """All who wait go on."""
        self._event.set()

    async def passed(self) -> None:
        """Returns when it is open."""
        self.waiting += 1
        await self._event.wait()
        self.waiting -= 1


class FakeLink:
    """A session with one cluster. `gate` holds up its clusters and edits."""

    def __init__(self, id: int) -> None:
        self.id = id
        self.listener: Any = lambda answer: None
        self.gate = Gate()
        self.is_forgotten = False
        self.is_dead = False
        self.blocks: list[FrameBlock] = []

    def take(self, block: FrameBlock) -> None:
        """Answered when the test calls `compute`."""
        self.blocks.append(block)

    def compute(self) -> None:
        """All blocks so far."""
        blocks, self.blocks = self.blocks, []
        self._answer(Answer(self.id, blocks=len(blocks)))

    def close(self) -> None:
        """The last answer follows."""
        asyncio.get_running_loop().call_soon(lambda: self._answer(Answer(self.id, len(self.blocks), closed=True)))

    def snapshot(self) -> None:
        """A few bytes follow."""
        asyncio.get_running_loop().call_soon(lambda: self._answer(Answer(self.id, snapshot=b"snapshot")))

    def die(self) -> None:
        """As if its worker were gone."""
        self.is_dead = True
        self._answer(Answer(self.id, error=UnavailableError("the worker is gone")))

    async def clusters(self) -> SessionClusters:
        """One cluster, without a name."""
        return await self._found("")

    async def edit(self, _edit: Edit) -> SessionClusters:
        """One cluster, with a name."""
        return await self._found("edited")

    def forget(self) -> None:
        """No more answers."""
        self.is_forgotten = True

    async def _found(self, name: str) -> SessionClusters:
        await self.gate.passed()
        if self.is_dead:
            raise UnavailableError("the worker is gone")
        return SessionClusters(2, [ClusterState(1, name, 0, False, np.zeros(2), 1.0, 0, 0, 1, 1.0)])

    def _answer(self, answer: Answer) -> None:
        if not self.is_forgotten:
            self.listener(answer)


class FakePool:
    """`gate` holds up new sessions."""

    explainer = None
    """Nobody asks why."""

    def __init__(self) -> None:
        self.links: list[FakeLink] = []
        self.gate = Gate()

    async def open(self, *_: object) -> FakeLink:
        """A session."""
        await self.gate.passed()
        self.links.append(FakeLink(len(self.links) + 1))
        return self.links[-1]

    @property
    def sessions(self) -> Sequence[FakeLink]:
        """Those that nobody has forgotten."""
        return [link for link in self.links if not link.is_forgotten]


class GatedStore(AsyncStore):
    """A store whose `gate` holds up what is asked for while it is shut."""

    def __init__(self, store: Any) -> None:
        super().__init__(store)
        self.gate = Gate()

    async def run(self, work: Any) -> Any:
        """After the gate that was there when it was asked."""
        await self.gate.passed()
        return await super().run(work)
