"""All streams that somebody watches: one follower each, whatever the number of viewers.

A follower begins with the first who holds the stream and ends some time after the last one: who reloads the page finds
the history again.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from motionscribe.async_client import AsyncClient
from motionscribe.page.follow import Follower
from motionscribe.page.streams import StreamList

KEPT_S = 60.0
"""How long a stream that nobody watches is followed further."""


@dataclass
class _Held:
    follower: Follower
    task: asyncio.Task[None]
    holders: set[object] = field(default_factory=set)
    end: asyncio.TimerHandle | None = None


class Hub:
    """An async context manager: ends all followers with itself."""

    def __init__(self, client: AsyncClient, streams: StreamList, kept_s: float = KEPT_S) -> None:
        self._client = client
        self._streams = streams
        self._kept_s = kept_s
        self._held: dict[str, _Held] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        tasks = [held.task for held in self._held.values()]
        for stream_id in list(self._held):
            self._end(stream_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    def hold(self, stream_id: str, holder: object) -> Follower:
        """The follower of a stream, which lives until `release` at least."""
        held = self._held.get(stream_id)
        if held is None:
            follower = Follower(self._client, self._streams, stream_id)
            task = asyncio.create_task(follower.run())
            held = self._held[stream_id] = _Held(follower, task)
            task.add_done_callback(partial(self._look_at, stream_id))
        held.holders.add(holder)
        if held.end:
            held.end.cancel()
            held.end = None
        return held.follower

    def release(self, stream_id: str, holder: object) -> None:
        """One who held a stream does not need it any more."""
        held = self._held.get(stream_id)
        if held is None or holder not in held.holders:
            return
        held.holders.remove(holder)
        if held.holders:
            return
        # ids that somebody made up leave nothing behind
        kept_s = self._kept_s if held.follower.audience.was_open else 0.0
        held.end = asyncio.get_running_loop().call_later(kept_s, self._end, stream_id)

    def refresh(self, stream_id: str) -> None:
        """Clusters or anomalies of a stream have changed."""
        if held := self._held.get(stream_id):
            held.follower.refresh()

    def _look_at(self, stream_id: str, task: asyncio.Task[None]) -> None:
        """A follower never ends by itself: an error that nobody foresaw is logged, and the next viewer begins anew."""
        if not task.cancelled():
            self._end(stream_id)
            task.result()

    def _end(self, stream_id: str) -> None:
        held = self._held.pop(stream_id)
        if held.end:
            held.end.cancel()
        held.task.cancel()
