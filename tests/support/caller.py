"""A client of one Stream call that speaks the bare protocol and does nothing by itself."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
from tests.support.waiting import PATIENCE_S

from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, frames_to_message
from motionscribe_proto.codec import skeleton_to_message as to_message
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock


@dataclass
class Caller:
    """A client of one Stream call that does nothing by itself."""

    call: Any
    skeleton: Skeleton
    opened: pb.Opened = field(default_factory=pb.Opened)
    updates: list[pb.Update] = field(default_factory=list)
    away: pb.GoAway | None = None

    async def open(self, stream_id: str = "lab", **fields: Any) -> pb.Opened:
        """Sends Open, waits for Opened."""
        if not {"skeleton", "features"} & fields.keys():
            fields["skeleton"] = to_message(self.skeleton)
        await self.write(open=pb.Open(stream_id=stream_id, **fields))
        response = await asyncio.wait_for(self.call.read(), PATIENCE_S)
        if response is grpc.aio.EOF:
            await self.call  # raises the status
        self.opened = response.opened
        return self.opened

    async def write(self, **message: Any) -> None:
        """One request."""
        await self.call.write(pb.StreamRequest(**message))

    async def send(self, recording: Recording, start: int = 0, end: int | None = None, block: int = 30) -> None:
        """Frames [start, end) of a recording; frame k has seq k + 1. Waits for credits as a client must."""
        end = len(recording.frames) if end is None else end
        for first in range(start, end, block):
            last = min(first + block, end)
            while last - start > self.credits:
                await self.read()
            frames = FrameBlock(first + 1, recording.frames[first:last], recording.timestamps_us[first:last])
            await self.write(frames=frames_to_message(frames))

    @property
    def credits(self) -> int:
        """All frames that were granted on this call."""
        return self.opened.credits + sum(update.credits for update in self.updates)

    @property
    def received_seq(self) -> int:
        """As the server last said."""
        return self.updates[-1].received_seq if self.updates else 0

    async def read(self) -> bool:
        """One response; False at the end of the call."""
        response = await asyncio.wait_for(self.call.read(), PATIENCE_S)
        if response is grpc.aio.EOF:
            return False
        if response.HasField("go_away"):
            self.away = response.go_away
        else:
            self.updates.append(response.update)
        return True

    async def finish(self) -> list[Event]:
        """Close, then everything until the call ends well."""
        await self.write(close=pb.Close())
        return await self.rest()

    async def rest(self) -> list[Event]:
        """Everything until the call ends well."""
        while await self.read():
            pass
        assert await self.call.code() == grpc.StatusCode.OK, await self.call.details()
        return self.events

    async def failure(self) -> tuple[grpc.StatusCode, str]:
        """Reads until the call ends with an error; its status and message."""
        try:
            while await asyncio.wait_for(self.read(), PATIENCE_S):
                pass
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return await self.call.code(), await self.call.details()

    async def events_until(self, enough: Callable[[Sequence[Event]], bool]) -> list[Event]:
        """Reads until the events of this call are enough."""
        while not enough(self.events):
            assert await self.read(), f"the call ended: {await self.call.details()}"
        return self.events

    @property
    def events(self) -> list[Event]:
        """All events of this call."""
        return [event for update in self.updates for event in events_from_messages(update.events)]

    @property
    def numbered(self) -> list[tuple[int, Event]]:
        """All events of this call, each with the number of its message."""
        messages = [(update.first_event + i, m) for update in self.updates for i, m in enumerate(update.events)]
        return [(number, event) for number, message in messages for event in events_from_messages([message])]

    @property
    def numbers(self) -> list[int]:
        """Numbers of their messages."""
        return [update.first_event + i for update in self.updates for i in range(len(update.events))]
