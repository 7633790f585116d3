"""How the owner's side of a call ends: half-closed, which finishes the stream, or cancelled just after, which does not.

What goes over the wire is spelt out here, since each library has a way of its own to cancel a call.
"""

import asyncio
import struct
from pathlib import Path

import pytest
from h2.errors import ErrorCodes
from tests.support.raw_client import RawClient
from tests.support.serving import Served, motion, serving
from tests.support.tiling import require_whole
from tests.support.waiting import PATIENCE_S, until

from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, frames_to_message, skeleton_to_message
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.rpc import segmentation

PATH = "/motionscribe.v1.Segmentation/Stream"
STREAM = "raw"


class Client(RawClient):
    """One that can give a call up, and understands what it was told."""

    def reset(self, number: int) -> None:
        """RST_STREAM."""
        with self._lock:
            self._h2.reset_stream(number, ErrorCodes.CANCEL)
            self._flush()

    def begin_stream(self, served: Served, recording: Recording, delivery: pb.Delivery) -> int:
        """A call that has sent Open and all frames."""
        opening = pb.Open(stream_id=STREAM, skeleton=skeleton_to_message(served.skeleton), delivery=delivery)
        frames = frames_to_message(FrameBlock(1, recording.frames, recording.timestamps_us))
        number = self.call(PATH, pb.StreamRequest(open=opening).SerializeToString())
        message = pb.StreamRequest(frames=frames).SerializeToString()
        self.send(number, struct.pack(">BI", 0, len(message)) + message)
        return number

    def answers(self, number: int) -> list[pb.StreamResponse]:
        """Those that have arrived whole."""
        found, at = [], 0
        with self._lock:
            data = self.data.get(number, b"")
        while at + 5 <= len(data) and at + 5 + (length := struct.unpack_from(">I", data, at + 1)[0]) <= len(data):
            found.append(pb.StreamResponse.FromString(data[at + 5 : at + 5 + length]))
            at += 5 + length
        return found


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE])
def test_a_half_close_and_then_a_reset_is_a_lost_client(
    tiny_model: Path, tmp_path: Path, delivery: pb.Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmentation, "HALF_CLOSE_S", PATIENCE_S)

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 4)
            half = len(recording.frames) // 2
            with Client(served.server.port, window=1 << 20) as client:
                begin = Recording("", recording.frames[:half], recording.timestamps_us[:half], recording.skeleton)
                number = await asyncio.to_thread(client.begin_stream, served, begin, delivery)
                await until(lambda: bool(client.answers(number)))
                await served.computed(half, STREAM)
                before = len(client.answers(number))
                client.send(number, b"", end=True)
                # the server has seen the half-close: it asks whether anybody is there
                await until(lambda: len(client.answers(number)) > before)
                client.reset(number)
                await served.lost(STREAM)
                opened, *_ = client.answers(number)
            again = await served.opened(STREAM, resume_token=opened.opened.resume_token, delivery=delivery)
            assert (again.opened.resumed, again.opened.next_seq) == (True, half + 1)
            await again.send(recording, half)
            require_whole(await again.finish(), len(recording.frames))

    asyncio.run(run())


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE])
def test_a_half_close_alone_is_a_close(
    tiny_model: Path, tmp_path: Path, delivery: pb.Delivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segmentation, "HALF_CLOSE_S", 0.01)

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 2)
            with Client(served.server.port, window=1 << 20) as client:
                number = await asyncio.to_thread(client.begin_stream, served, recording, delivery)
                client.send(number, b"", end=True)
                headers = await asyncio.to_thread(client.wait, number)
                events = [event for answer in client.answers(number) for event in answer.update.events]
            assert headers["grpc-status"] == "0"
            require_whole(events_from_messages(events), len(recording.frames))
            assert not served.server.registry.streams

    asyncio.run(run())
