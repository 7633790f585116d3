"""What waits to be written on one call: order, batching, slow watchers, ends."""

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.events import Label, Restarted
from motionscribe_server.errors import ExhaustedError, UnavailableError
from motionscribe_server.streams.pose_slot import PERIOD_S
from motionscribe_server.streams.update_writer import LARGEST_UPDATE, Progress, UpdateWriter

WORD, SURE, UNSURE = events_to_messages(
    [Restarted(1, 2, "word"), Label(1, 2, 0, 1, 4, 1.0, True), Label(1, 2, 0, 1, 4, 0.5, False)]
)


def _writer(limit: int | None = None, provisional: bool = True) -> UpdateWriter:
    return UpdateWriter(lambda: Progress(7, 5, 3), limit, provisional)


async def _ready() -> None:
    pass


def _drain(writer: UpdateWriter, on_write: Callable[[], None] = lambda: None) -> list[pb.StreamResponse]:
    """All that is written until the end."""
    written: list[pb.StreamResponse] = []

    async def write(message: pb.StreamResponse) -> None:
        written.append(message)
        on_write()

    asyncio.run(asyncio.wait_for(writer.drain(write, _ready, 10), 10))
    return written


def _numbers(written: list[pb.StreamResponse]) -> list[int]:
    return [response.update.first_event + i for response in written for i in range(len(response.update.events))]


@given(st.lists(st.integers(0, 5), max_size=20))
def test_numbers_arrive_in_order_and_neighbours_share_an_update(counts: list[int]) -> None:
    async def make() -> UpdateWriter:
        return _writer()

    writer, number = asyncio.run(make()), 1
    for count in counts:
        writer.put(number, [WORD] * count)
        number += count
    writer.end()
    written = _drain(writer)
    assert _numbers(written) == list(range(1, number))
    assert len(written) == 1


def test_a_jump_in_numbers_starts_another_update_and_so_does_a_full_one() -> None:
    writer = _writer()
    writer.put(1, [WORD])
    writer.put(5, [WORD] * (LARGEST_UPDATE + 2))
    writer.end()
    firsts = [response.update.first_event for response in _drain(writer)]
    assert firsts == [1, 5, 5 + LARGEST_UPDATE]


def test_an_update_tells_the_progress_even_without_events() -> None:
    writer = _writer()
    writer.end()
    (response,) = _drain(writer)
    assert response.update == pb.Update(received_seq=7, durable_seq=5, credits=3)


def test_what_waits_leaves_before_the_error_and_nothing_after_it() -> None:
    writer = _writer()
    writer.put(1, [WORD])
    away = pb.StreamResponse(go_away=pb.GoAway(reason="going"))
    writer.end(UnavailableError("first"), [away])
    writer.end(ExhaustedError("second"))
    writer.put(2, [WORD])
    written: list[pb.StreamResponse] = []

    async def write(message: pb.StreamResponse) -> None:
        written.append(message)

    with pytest.raises(UnavailableError, match="first"):
        asyncio.run(writer.drain(write, _ready, 10))
    assert _numbers(written) == [1]
    assert written[-1] == away


def test_events_that_come_while_a_write_is_slow_share_the_next_update() -> None:
    writer = _writer()
    writer.put(1, [WORD])

    def on_write() -> None:
        if not writer.ended:
            writer.put(2, [WORD])
            writer.put(3, [WORD])
            writer.end()

    written = _drain(writer, on_write)
    assert [response.update.first_event for response in written] == [1, 2]


def test_a_watcher_that_does_not_keep_up_is_ended_and_an_owner_is_not() -> None:
    watcher, owner = _writer(limit=3), _writer()
    for number in range(1, 5):
        watcher.put(number, [WORD])
        owner.put(number, [WORD])
    owner.end()
    assert _numbers(_drain(owner)) == [1, 2, 3, 4]
    with pytest.raises(ExhaustedError, match="got one with 4 events waiting"):
        _drain(watcher)


def test_provisional_labels_are_left_out_where_they_are_not_wanted() -> None:
    writer = _writer(provisional=False)
    writer.put(1, [UNSURE, WORD, SURE])
    writer.end()
    assert _numbers(_drain(writer)) == [2, 3]


def test_confirm_returns_only_after_a_write() -> None:
    async def run() -> None:
        writer, written = _writer(), []

        async def write(message: pb.StreamResponse) -> None:
            written.append(message)

        confirming = asyncio.create_task(writer.confirm())
        await asyncio.sleep(0)
        assert not confirming.done()
        draining = asyncio.create_task(writer.drain(write, _ready, 10))
        await asyncio.wait_for(confirming, 10)
        assert len(written) == 1
        writer.end()
        await draining

    asyncio.run(run())


def _poses(seq: int) -> pb.Poses:
    return pb.Poses(first_seq=seq, timestamps_us=[seq], values=b"0000")


def test_while_a_write_is_slow_the_newest_poses_wait_alone_and_events_go_before_them() -> None:
    async def run() -> None:
        writer, written, gate = UpdateWriter(lambda: Progress(7, 5, 0), poses=True), [], asyncio.Event()
        assert writer.poses

        async def write(message: pb.StreamResponse) -> None:
            written.append(message)
            await gate.wait()

        writer.poses.put(_poses(1))
        draining = asyncio.create_task(writer.drain(write, _ready, 10))
        await until(lambda: len(written) == 1)
        for seq in range(2, 1000):
            writer.poses.put(_poses(seq))
        await asyncio.sleep(2 * PERIOD_S)  # they are due, and cannot be written
        writer.put(1, [WORD])
        gate.set()
        await until(lambda: len(written) == 3)
        await asyncio.sleep(2 * PERIOD_S)
        writer.end()
        await draining
        kinds = [message.WhichOneof("message") for message in written]
        assert kinds == ["poses", "update", "poses", "update"]  # the last tells the progress, as every end does
        assert [message.poses.first_seq for message in written[::2]] == [1, 999]
        assert _numbers(written) == [1]

    asyncio.run(run())


def test_poses_are_written_at_intervals_and_need_no_update() -> None:
    async def run() -> None:
        writer, written, times = UpdateWriter(lambda: Progress(7, 5, 0), poses=True), [], []
        assert writer.poses

        async def write(message: pb.StreamResponse) -> None:
            written.append(message)
            times.append(asyncio.get_running_loop().time())

        draining = asyncio.create_task(writer.drain(write, _ready, 10))
        for seq in range(1, 101):
            writer.poses.put(_poses(seq))
            await asyncio.sleep(PERIOD_S / 25)
        await until(lambda: written[-1].poses.first_seq == 100)
        assert all(message.HasField("poses") for message in written)
        assert 2 <= len(written) <= (times[-1] - times[0]) / PERIOD_S + 2.01  # the first two may come together
        writer.end()
        await draining

    asyncio.run(run())


def test_a_client_that_never_reads_is_given_up() -> None:
    async def never(_: pb.StreamResponse) -> None:
        await asyncio.get_running_loop().create_future()

    writer = _writer()
    writer.put(1, [WORD])
    with pytest.raises(UnavailableError, match=r"expected a client that reads, got none for 0\.01 s"):
        asyncio.run(writer.drain(never, _ready, 0.01))
