"""Durable streams: what a client hears is the same, whatever happens to servers meanwhile."""

import asyncio
import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.caller import Caller
from tests.support.redis_server import redis_server
from tests.support.serving import Served, alone, final, motion, process_of, serving

from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import Event
from motionscribe_server.errors import StoreError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.storage.sqlite_store import SqliteStore

Code = grpc.StatusCode
DURABLE = pb.DELIVERY_DURABLE


async def aborted(served: Served, caller: Caller, recording: Recording, start: int) -> bool:
    """Whether the server ends the call of an old owner, before or after it sent these frames."""
    # a write that meets the end of the call fails with another status, and one that comes after it does not start
    with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
        await caller.send(recording, start)
    await caller.failure()
    return served.counted("motionscribe_errors_total", status="ABORTED") == 1


def test_a_stream_goes_on_at_another_server(tiny_model: Path, tmp_path: Path) -> None:
    """Drained in the middle, resumed at a server that was not there before: frames need not come again."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first:
            recording = motion(first.skeleton, 12)
            expected = alone(first, recording, SessionOptions(provisional=False))
            caller = await first.durable(recording, 700)
            stopping = asyncio.create_task(first.stop())
            code, _ = await caller.failure()
            assert code == Code.UNAVAILABLE
            await stopping
        async with serving(tiny_model, tmp_path) as second:
            token, last = caller.opened.resume_token, caller.numbers[-1] if caller.numbers else 0
            again = await second.opened(delivery=DURABLE, resume_token=token, last_event=last)
            assert again.opened.resumed
            assert again.opened.next_seq == 701
            assert again.opened.epoch == caller.opened.epoch + 1
            await again.send(recording, 700)
            watch = await second.segmentation.Watch(pb.WatchRequest(stream_id="lab")).read()
            assert not watch.update.HasField("start_us")  # this server never had the first frame
            assert caller.events + await again.finish() == expected

    asyncio.run(run())


def test_minutes_at_three_servers_are_those_of_one(tiny_model: Path, tmp_path: Path) -> None:
    """The encoder's state is that of the first frame on: each server must go on with it to the bit."""

    async def run() -> None:
        received, token, last, sent = list[Event](), "", 0, 0
        for part in range(3):
            async with serving(tiny_model, tmp_path) as server:
                recording = motion(server.skeleton, 90)
                if not part:
                    expected = alone(server, recording, SessionOptions(provisional=False))
                caller = await server.opened(delivery=DURABLE, resume_token=token, last_event=last)
                # a server that is told to stop need not take what it was sent last
                assert 1 <= caller.opened.next_seq <= sent + 1
                sent = (part + 1) * len(recording.frames) // 3
                await caller.send(recording, caller.opened.next_seq - 1, sent)
                if part == 2:
                    received += await caller.finish()
                    break
                stopping = asyncio.create_task(server.stop())
                await caller.failure()
                await stopping
                received += caller.events
                token, last = caller.opened.resume_token, max(caller.numbers, default=last)
        assert len(expected) > 50
        assert received == expected

    asyncio.run(run())


def test_what_was_told_after_the_last_checkpoint_is_told_the_same_again(tiny_model: Path, tmp_path: Path) -> None:
    """The first server vanishes without a word: another one computes from the checkpoint on."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            recording = motion(first.skeleton, 14)
            expected = alone(first, recording, SessionOptions(provisional=False))
            caller = await first.durable(recording, 1000)
            await caller.events_until(lambda events: len(events) >= 4)
            received = list(caller.events)
            token = caller.opened.resume_token
            again = await second.opened(delivery=DURABLE, resume_token=token, last_event=caller.numbers[-1])
            assert again.opened.resumed
            assert again.opened.next_seq <= 1001
            await again.send(recording, again.opened.next_seq - 1)
            assert received + await again.finish() == expected
            # the first server still lives: it may say nothing more
            assert await aborted(first, caller, recording, 1000)

    asyncio.run(run())


def test_a_stream_goes_there_and_back(tiny_model: Path, tmp_path: Path, place: str) -> None:
    """The first server still has it, as it was, when it comes back with another epoch."""

    async def run() -> None:
        async with (
            serving(tiny_model, tmp_path, storage={"location": place}) as first,
            serving(tiny_model, tmp_path, storage={"location": place}) as second,
        ):
            recording = motion(first.skeleton, 12)
            expected = alone(first, recording, SessionOptions(provisional=False))
            caller = await first.opened(delivery=DURABLE)
            token, received, last, sent = caller.opened.resume_token, list[Event](), 0, 0
            for server, end in ((second, 700), (first, 1000), (second, 1440)):
                await caller.send(recording, sent, end - 100)
                again = await server.opened(delivery=DURABLE, resume_token=token, last_event=last)
                assert again.opened.resumed
                assert again.opened.epoch == caller.opened.epoch + 1
                await again.send(recording, again.opened.next_seq - 1, end)
                caller, sent = again, end
                if end < 1440:
                    await server.computed(end)
                    await caller.events_until(lambda events: len(events) >= 1)
                    received += caller.events
                    last = caller.numbers[-1]
            assert received + await caller.finish() == expected

    asyncio.run(run())


def test_a_redis_that_goes_away_is_only_a_pause(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        with ExitStack() as redis:
            url = redis.enter_context(redis_server(tmp_path))
            async with serving(tiny_model, tmp_path, storage={"location": url}) as served:
                recording = motion(served.skeleton, 8)
                expected = alone(served, recording, SessionOptions(provisional=False))
                caller, live = await served.opened(delivery=DURABLE), await served.opened("live")
                await caller.send(recording, 0, 400)
                await caller.events_until(lambda events: len(events) >= 1)
                await asyncio.to_thread(redis.close)
                with suppress(grpc.aio.BaseError, asyncio.InvalidStateError):  # the call may have ended by now
                    await caller.send(recording, 400, 800, block=400)
                await live.send(recording)
                code, message = await caller.failure()
                assert (code, "store cannot be written" in message) == (grpc.StatusCode.UNAVAILABLE, True)
                assert final(await live.finish()) == final(expected)
                # a client that reconnects meanwhile is told to go on trying
                early = served.call()
                with pytest.raises(grpc.aio.AioRpcError) as refused:
                    await early.open(delivery=DURABLE, resume_token=caller.opened.resume_token)
                assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
                redis.enter_context(redis_server(tmp_path, int(url.rpartition(":")[2].removesuffix("/0"))))
                token, last = caller.opened.resume_token, caller.numbers[-1]
                again = await served.opened(delivery=DURABLE, resume_token=token, last_event=last)
                assert again.opened.resumed
                await again.send(recording, again.opened.next_seq - 1)
                assert caller.events + await again.finish() == expected

    asyncio.run(run())


def test_the_end_can_be_fetched_again(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first:
            recording = motion(first.skeleton, 6)
            expected = alone(first, recording, SessionOptions(provisional=False))
            caller = await first.opened(delivery=DURABLE)
            await caller.send(recording)
            assert await caller.finish() == expected
        async with serving(tiny_model, tmp_path) as second:
            token = caller.opened.resume_token
            again = await second.opened(delivery=DURABLE, resume_token=token, last_event=0)
            assert await again.rest() == expected

    asyncio.run(run())


def test_without_the_token_it_starts_afresh_and_the_old_owner_is_fenced(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            recording = motion(first.skeleton, 4)
            caller = await first.opened(delivery=DURABLE)
            await caller.send(recording, 0, 200)
            with pytest.raises(grpc.aio.AioRpcError, match="got one that resumes nothing") as caught:
                await second.opened(delivery=DURABLE, resume_token="guess")
            assert caught.value.code() == Code.FAILED_PRECONDITION
            other = await second.opened(delivery=DURABLE)
            assert not other.opened.resumed
            assert await aborted(first, caller, recording, 200)
            await other.finish()

    asyncio.run(run())


def test_a_worker_that_dies_is_only_a_pause(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"workers": 2}) as served:
            recording = motion(served.skeleton, 12)
            expected = alone(served, recording, SessionOptions(provisional=False))
            caller = await served.durable(recording, 900)
            process_of(served.server.registry.live("lab").link.worker).kill()
            code, message = await caller.failure()
            assert (code, "reconnect" in message) == (Code.UNAVAILABLE, True)
            token, last = caller.opened.resume_token, caller.numbers[-1] if caller.numbers else 0
            again = await served.opened(delivery=DURABLE, resume_token=token, last_event=last)
            assert again.opened.resumed
            await again.send(recording, again.opened.next_seq - 1)
            assert caller.events + await again.finish() == expected

    asyncio.run(run())


def test_a_name_given_to_a_durable_stream_outlives_the_server(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            caller = await first.opened(delivery=DURABLE)
            await caller.send(motion(first.skeleton, 6), 0, 600)
            await first.clusters.RenameCluster(pb.RenameClusterRequest(stream_id="lab", id=1, name="wave"))
            again = await second.opened(delivery=DURABLE, resume_token=caller.opened.resume_token)
            assert again.opened.resumed
            assert again.opened.clusters[0].name == "wave"

    asyncio.run(run())


def test_a_store_that_cannot_be_written_says_nothing_it_could_lose(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 8)
            expected = alone(served, recording, SessionOptions(provisional=False))
            caller = await served.opened(delivery=DURABLE)
            checkpoints = type(SqliteStore(tmp_path / "other").checkpoints)

            def full(*_: Any) -> None:
                raise StoreError("the disk is full")

            with monkeypatch.context() as patch:
                patch.setattr(checkpoints, "append", full)
                await caller.send(recording, 0, 600)
                code, message = await caller.failure()
            assert (code, "store" in message) == (Code.UNAVAILABLE, True)
            again = await served.opened(
                delivery=DURABLE, resume_token=caller.opened.resume_token, last_event=(caller.numbers or [0])[-1]
            )
            assert again.opened.resumed
            await again.send(recording, again.opened.next_seq - 1)
            assert caller.events + await again.finish() == expected

    asyncio.run(run())


@pytest.mark.parametrize("what", ["truncated", "flipped"])
def test_a_broken_checkpoint_is_refused_with_a_reason(tiny_model: Path, tmp_path: Path, what: str) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first:
            caller = await first.opened(delivery=DURABLE)
            await caller.send(motion(first.skeleton, 4))
            await first.computed(480)
        connection = sqlite3.connect(tmp_path / "names.sqlite")
        (data,) = connection.execute("SELECT snapshot FROM durable").fetchone()
        broken = data[:1000] if what == "truncated" else data[:500] + bytes([data[500] ^ 1]) + data[501:]
        connection.execute("UPDATE durable SET snapshot = ?", (broken,))
        connection.commit()
        connection.close()
        async with serving(tiny_model, tmp_path) as second:
            with pytest.raises(grpc.aio.AioRpcError, match="not what was written"):
                await second.opened(delivery=DURABLE, resume_token=caller.opened.resume_token)
            fresh = await second.opened("other")
            await fresh.finish()

    asyncio.run(run())
