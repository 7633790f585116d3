"""The outbox and the inbox, which lose and repeat nothing, without a network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe import FrameBlock, errors
from motionscribe.connection.delivery import Inbox, Outbox
from motionscribe.events import Event, Restarted
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.frames import WireError


def block(first_seq: int, frames: int) -> FrameBlock:
    times = np.arange(first_seq, first_seq + frames)
    return FrameBlock(first_seq, times.astype(np.float32)[:, None], times)


STEPS = st.one_of(
    st.tuples(st.just("send"), st.integers(1, 8)),
    st.tuples(st.just("arrive"), st.just(0)),
    st.tuples(st.just("break"), st.integers(1, 9)),
)


@given(st.lists(STEPS, max_size=60))
def test_the_outbox_delivers_each_frame_once_whatever_is_lost(steps: list[tuple[str, int]]) -> None:
    outbox = Outbox()
    credits = 5
    outbox.reopen(1, credits, resumed=False)
    put = 0  # frames of the source so far
    server: list[int] = []  # what arrived
    wire: list[FrameBlock] = []  # what was sent on this connection and has not arrived
    for step, number in [*steps, *[("send", 8), ("arrive", 0)] * 100]:
        match step:
            case "send":
                if outbox.empty and put < 100:
                    outbox.put(block(put + 1, number))
                    put += number
                if taken := outbox.take():
                    assert len(taken) <= credits
                    credits -= len(taken)
                    wire.append(taken)
            case "arrive" if wire:
                arrived = wire.pop(0)
                np.testing.assert_array_equal(arrived.timestamps_us, arrived.values[:, 0])
                server += arrived.timestamps_us.tolist()
                credits += len(arrived)
                outbox.received(len(server), len(arrived))
            case "break":
                wire.clear()
                credits = number
                outbox.reopen(len(server) + 1, credits, resumed=True)
    assert server == list(range(1, len(server) + 1))
    assert len(server) >= 100


def test_the_outbox_forgets_nothing_that_the_server_may_want_again() -> None:
    """A server that gives credits without end and keeps nothing is sent no more than can be sent again."""
    outbox = Outbox(kept_frames=25)
    outbox.reopen(1, 10_000, resumed=False)
    sent = 0
    for n in range(100):
        if outbox.empty:
            outbox.put(block(10 * n + 1, 10))
        sent += len(outbox.take() or ())
    assert sent == 25
    outbox.received(4, 0)
    assert len(outbox.take() or ()) == 4
    outbox.reopen(5, 10_000, resumed=True)
    assert outbox.position == (5, 5)
    with pytest.raises(WireError, match="expected to go on after frame 4, got a server that wants 4"):
        outbox.reopen(4, 10_000, resumed=True)


def test_the_outbox_refuses_numbers_that_run_backwards() -> None:
    outbox = Outbox()
    outbox.reopen(101, 10, resumed=False)
    outbox.put(block(1, 3))
    outbox.put(block(7, 3))  # a jump is the source's to make
    with pytest.raises(errors.BadFrames, match="expected frame 10 or a later one, got frame 9"):
        outbox.put(block(9, 1))
    taken = [outbox.take(), outbox.take()]
    assert [b.first_seq for b in taken if b] == [101, 107]


@given(st.lists(st.tuples(st.integers(1, 30), st.integers(0, 10))))
def test_the_inbox_yields_each_event_once(spans: list[tuple[int, int]]) -> None:
    inbox = Inbox()
    got: list[Event] = []
    for first, count in spans:
        events = [Restarted(n, 0, "") for n in range(first, first + count)]
        got += inbox.take(pb.Update(first_event=first, events=events_to_messages(events)))
    numbers = [event.seq for event in got if isinstance(event, Restarted)]
    assert numbers == sorted(set(numbers))
    newest = 0
    expected: list[int] = []
    for first, count in spans:
        for n in range(first, first + count):
            if n > newest:
                newest = n
                expected.append(n)
    assert numbers == expected
