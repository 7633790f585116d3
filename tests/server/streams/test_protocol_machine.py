"""The protocol as a state machine against a real server: messages in any order, frames in any blocks, broken calls.

Whatever happens on the way, refusals have their stated status, and a stream that is closed, or ended by a refusal, has
told, once each and in order, the final events that a replay of the frames it was sent tells.
"""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.support.caller import Caller
from tests.support.serving import Served, alone, final, motion, serving
from tests.support.waiting import until

from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message
from motionscribe_proto.events import Event
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.options import SessionOptions

Code = grpc.StatusCode
SECONDS = 5
WRONG = {
    "NaN": Code.INVALID_ARGUMENT,
    "seq": Code.INVALID_ARGUMENT,
    "time": Code.INVALID_ARGUMENT,
    "open": Code.FAILED_PRECONDITION,
    "empty": Code.INVALID_ARGUMENT,
}


class Protocol(RuleBasedStateMachine):
    """One stream of one client, and strangers who bother it."""

    served: Served
    runner: asyncio.Runner
    numbers = itertools.count()

    @initialize(durable=st.booleans())
    def begin(self, durable: bool) -> None:
        """A stream id that nobody had."""
        self.recording = motion(self.served.skeleton, SECONDS)
        self.id = f"machine-{next(self.numbers)}"
        self.delivery = pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE
        self.token, self.sent, self.last = "", 0, 0
        self.received: list[Event] = []
        self.caller: Caller | None = None

    def run(self, work: Any) -> Any:
        """In the server's loop."""
        return self.runner.run(asyncio.wait_for(work, 30))

    @property
    def talking(self) -> Caller:
        """The call, where there is one."""
        assert self.caller is not None
        return self.caller

    def lose(self) -> None:
        """The call is over; what it said was received."""
        self.received += self.talking.events
        self.last = max([self.last, *self.talking.numbers])
        self.caller = None

    @precondition(lambda self: self.caller is None)
    @rule()
    def open(self) -> None:
        """New, or again with the token."""
        request = {"delivery": self.delivery, "resume_token": self.token, "last_event": self.last}
        self.caller = self.run(self.served.opened(self.id, **request))
        opened = self.caller.opened
        assert opened.resumed == bool(self.token)
        assert opened.next_seq <= self.sent + 1
        self.token, self.sent = opened.resume_token, opened.next_seq - 1

    @precondition(lambda self: self.caller is not None)
    @rule(sizes=st.lists(st.integers(1, 120), min_size=1, max_size=4))
    def send(self, sizes: list[int]) -> None:
        """Frames in blocks of any sizes."""
        for size in sizes:
            end = min(self.sent + size, len(self.recording.frames))
            if end > self.sent:
                self.run(self.talking.send(self.recording, self.sent, end, size))
                self.sent = end

    @precondition(lambda self: self.caller is not None)
    @rule(number=st.integers(0, 5))
    def acknowledge(self, number: int) -> None:
        """Events that were received, or none."""
        self.run(self.talking.write(ack=pb.Ack(last_event=min(number, self.last))))

    @precondition(lambda self: self.caller is not None)
    @rule()
    def read(self) -> None:
        """All events of all frames that were sent."""

        async def read_all() -> None:
            stream, caller = self.served.stream(self.id), self.talking
            await until(lambda: stream.computed_seq == self.sent)
            while max([self.last, *caller.numbers]) < stream.backlog.last_event:
                assert await caller.read()

        self.run(read_all())

    @precondition(lambda self: self.caller is not None)
    @rule()
    def break_off(self) -> None:
        """Without a word."""
        self.talking.call.cancel()
        self.lose()
        self.run(self.served.lost(self.id))

    @precondition(lambda self: self.caller is not None)
    @rule(what=st.sampled_from(sorted(WRONG)))
    def send_nonsense(self, what: str) -> None:
        """Ends the stream as `close` does, but for the status, which a new call gets as well."""
        values = np.zeros((1, self.served.skeleton.width), np.float32)
        time = np.array([10**9])
        seq = self.sent + 1
        messages: dict[str, dict[str, Any]] = {
            "NaN": {"frames": frames_to_message(FrameBlock(seq, values * np.nan, time))},
            "seq": {"frames": frames_to_message(FrameBlock(max(1, self.sent), values, time))},
            "time": {"frames": frames_to_message(FrameBlock(seq, values, np.array([-1])))},
            "open": {"open": pb.Open(stream_id=self.id)},
            "empty": {},
        }
        if what in ("seq", "time") and not self.sent:
            return  # the first frame may have any
        self.run(self.talking.write(**messages[what]))
        refused = self.run(self.talking.failure())
        assert refused[0] == WRONG[what]
        self.lose()
        self.run(self.served.lost(self.id))
        self.open()
        assert self.run(self.talking.failure()) == refused
        self.lose()
        self.compare()
        self.run(self.served.server.registry.forget(self.served.stream(self.id).info.key))
        self.begin(self.delivery == pb.DELIVERY_DURABLE)

    @precondition(lambda self: self.caller is not None)
    @rule()
    def strangers(self) -> None:
        """Who has no token gets no stream, and who watches or asks for what is not there does no harm."""

        async def bother() -> None:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.served.opened(self.id, resume_token="guess")
            assert caught.value.code() == Code.ALREADY_EXISTS
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await self.served.clusters.RenameCluster(pb.RenameClusterRequest(stream_id=self.id, id=10**6))
            assert caught.value.code() == Code.NOT_FOUND
            watching = self.served.segmentation.Watch(pb.WatchRequest(stream_id=self.id))
            await watching.initial_metadata()
            watching.cancel()

        self.run(bother())

    @precondition(lambda self: self.caller is not None and self.sent > 100)
    @rule()
    def close(self) -> None:
        """All was told, once and in order; then another stream begins."""
        self.run(self.talking.finish())
        self.lose()
        self.compare()
        self.run(until(lambda: self.served.server.registry.find(self.id) is None))
        self.begin(self.delivery == pb.DELIVERY_DURABLE)

    def compare(self) -> None:
        """What was received is what a replay of the frames that were sent tells."""
        if not self.sent:
            assert self.received == []
            return
        frames, times = self.recording.frames[: self.sent], self.recording.timestamps_us[: self.sent]
        part = Recording("sent", frames, times, self.served.skeleton)
        assert final(self.received) == alone(self.served, part, SessionOptions(provisional=False))

    @invariant()
    def nothing_is_left(self) -> None:
        """One stream at most, one session for it, and nobody who watches."""
        streams = [stream.info.key for stream in self.served.server.registry.streams]
        assert set(streams) <= {self.id} if hasattr(self, "id") else True
        assert sum(len(worker.links) for worker in self.served.server.pool.workers) == len(streams)

    def teardown(self) -> None:
        """What is still open is given up."""
        if getattr(self, "caller", None) is not None:
            self.break_off()
        for stream in self.served.server.registry.streams:
            self.run(self.served.server.registry.forget(stream.info.key))


@pytest.fixture
def machine(tiny_model: Path, tmp_path: Path) -> Iterator[type[Protocol]]:
    """With a server that lasts for all examples."""
    with asyncio.Runner() as runner:
        context = serving(tiny_model, tmp_path, limits={"resume_within_s": 1000})
        Protocol.runner, Protocol.served = runner, runner.run(context.__aenter__())
        yield Protocol
        runner.run(context.__aexit__(None, None, None))


def test_any_order_of_messages(machine: type[Protocol]) -> None:
    run_state_machine_as_test(
        machine,
        # a failure is not made smaller: each try may wait for its time-outs
        settings=settings(
            max_examples=40, stateful_step_count=30, deadline=None, derandomize=True, phases=[Phase.generate]
        ),
    )
