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

    def __init__(self) -> None:
        super().__init__()
        self.flow = FrameFlow(CREDITS, Position(1, None))
        self.with_owner = 0
        self.on_their_way: list[int] = []
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
        del self.on_their_way[:blocks]

    @rule()
    def update(self) -> None:
        """Gives back what was computed."""
        self.with_owner += self.flow.grant()

    @rule()
    def another_owner(self) -> None:
        """It gets whatever no frame on its way uses."""
        self.with_owner = self.flow.restart()
        assert self.with_owner == CREDITS - sum(self.on_their_way)

    @invariant()
    def nothing_is_lost(self) -> None:
        """Credits that wait are those that neither the owner has nor a frame uses."""
        waiting = CREDITS - self.with_owner - sum(self.on_their_way)
        assert self.flow.credits_are_due == (4 * waiting >= CREDITS)
        assert self.flow.blocks_on_their_way == len(self.on_their_way)
        assert self.flow.received.next_seq == self.received + 1
        assert self.flow.computed.next_seq == self.computed + 1
        assert self.flow.computed.last_us == (1000 * self.computed or None)


TestFlow = Flow.TestCase
