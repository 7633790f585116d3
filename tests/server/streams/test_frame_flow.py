"""Credits are neither lost nor made, whatever order frames, answers, Updates and owners come in."""

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from motionscribe_proto.frames import FrameBlock
from motionscribe_server.errors import ExhaustedError
from motionscribe_server.streams.frame_flow import FrameFlow, Position

CREDITS = 40


def block(first_seq: int, frames: int) -> FrameBlock:
    """Frame k has time 1000 k us."""
    times = 1000 * np.arange(first_seq, first_seq + frames)
    return FrameBlock(first_seq, np.zeros((frames, 2), np.float32), times)


class Flow(RuleBasedStateMachine):
    """Against a ledger of whole frames."""

    durable = False

    def __init__(self) -> None:
        super().__init__()
        self.flow = FrameFlow(CREDITS, Position(1, None), self.durable)
        self.with_owner = 0
        self.on_their_way: list[int] = []
        self.unkept: list[int] = []  # blocks of a durable stream that are computed
        self.received = self.computed = 0

    @rule(frames=st.integers(1, CREDITS + 5))
    def send(self, frames: int) -> None:
        """Refused beyond the credits, and then nothing changes."""
        if frames > self.with_owner:
            with pytest.raises(
                ExhaustedError, match=f"at most {self.with_owner} frames, the credits left, got {frames}"
            ):
                self.flow.require_credits(frames)
            return
        self.flow.require_credits(frames)
        self.flow.receive(block(self.received + 1, frames))
        self.with_owner -= frames
        self.received += frames
        self.on_their_way.append(frames)

    @rule(data=st.data())
    def compute(self, data: st.DataObject) -> None:
        """The oldest blocks first."""
        blocks = data.draw(st.integers(0, len(self.on_their_way)))
        self.flow.complete(blocks)
        self.computed += sum(self.on_their_way[:blocks])
        self.unkept += self.on_their_way[:blocks] if self.durable else []
        del self.on_their_way[:blocks]

    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        """The oldest of the computed blocks are in a checkpoint."""
        blocks = data.draw(st.integers(0, len(self.unkept)))
        del self.unkept[:blocks]
        kept = self.computed - sum(self.unkept)
        self.flow.keep(Position(kept + 1, 1000 * kept))

    @rule()
    def update(self) -> None:
        """Gives back what is needed no more."""
        self.with_owner += self.flow.grant()

    @rule()
    def another_owner(self) -> None:
        """It gets whatever no frame uses."""
        self.with_owner = self.flow.restart()
        assert self.with_owner == CREDITS - sum(self.on_their_way) - sum(self.unkept)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Credits that wait are those that neither the owner has nor a frame uses."""
        waiting = CREDITS - self.with_owner - sum(self.on_their_way) - sum(self.unkept)
        assert self.flow.credits_are_due == (4 * waiting >= CREDITS)
        assert self.flow.blocks_on_their_way == len(self.on_their_way)
        assert self.flow.received.next_seq == self.received + 1
        assert self.flow.computed.next_seq == self.computed + 1
        assert self.flow.computed.last_us == (1000 * self.computed or None)


class DurableFlow(Flow):
    """Credits come back when frames are kept."""

    durable = True


TestFlow = Flow.TestCase
TestDurableFlow = DurableFlow.TestCase
