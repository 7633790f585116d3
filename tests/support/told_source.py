"""A source of which a test decides when it gives what."""

import asyncio
from collections.abc import AsyncGenerator

from motionscribe.sources.base import Source
from motionscribe_models.recordings import Recording
from motionscribe_proto.frames import FrameBlock


class Told(Source):
    """Gives the blocks that it is told to."""

    def __init__(self, recording: Recording) -> None:
        self.skeleton, self.rate_hz = recording.skeleton, recording.skeleton.rate_hz
        self.queue: asyncio.Queue[FrameBlock | None] = asyncio.Queue()

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        while block := await self.queue.get():
            yield block
