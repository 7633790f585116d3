"""Durable streams and several servers of one store: nobody overwrites, loses or forgets what another one answered."""

import asyncio
from pathlib import Path

import grpc
import numpy as np
import pytest
from tests.server.streams.test_durable_edits import DURABLE, clusters, hear, rename, resumed
from tests.support.serving import motion, serving, still_frames

from motionscribe_server.storage.checkpoints import KeptStream
from motionscribe_server.storage.sqlite_checkpoints import SqliteCheckpoints


def test_a_server_that_lost_a_stream_does_not_overwrite_its_clusters(
    tiny_model: Path, tmp_path: Path, place: str
) -> None:
    """It still has the session as it was, and saves it when it stops."""

    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            caller = await first.durable(motion(first.skeleton, 6), 600)
            caller.call.cancel()
            await first.lost("lab")
            again = await resumed(second, caller)
            await rename(second, 1, "walk")
            await first.stop()
            stored = await second.server.store.run(lambda store: store.load(second.model.key, "lab"))
            assert stored.clusters[0].name == "walk"
            await again.finish()

    asyncio.run(run())


def test_an_edit_while_the_past_is_repeated_survives_a_second_crash(
    tiny_model: Path, tmp_path: Path, place: str
) -> None:
    """A checkpoint amid the repetition keeps what was repeated, and not what still waits."""

    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            recording = motion(first.skeleton, 24)
            caller = await first.durable(recording, 1200)
            await first.stream("lab").checkpoint()
            await rename(first, 1, "old")
            await caller.send(recording, 1200, 1700)
            await first.computed(1700)
            await hear(caller, 1500)
            again = await resumed(second, caller)
            await again.send(recording, 1200, 1210)
            await second.computed(1210)
            await second.stream("lab").checkpoint()
            assert second.stream("lab").is_repeating
            await rename(second, 2, "new")
            await second.stream("lab").checkpoint()
            again.call.cancel()
            third = await first.opened(
                delivery=DURABLE, resume_token=caller.opened.resume_token, last_event=caller.numbers[-1]
            )
            await third.send(recording, third.opened.next_seq - 1)
            await third.finish()
            found = await clusters(first)
            assert (found[1].name, found[2].name) == ("old", "new")

    asyncio.run(run())


def test_an_edit_at_a_server_that_does_not_have_the_stream_reaches_the_one_that_has(
    tiny_model: Path, tmp_path: Path, place: str
) -> None:
    async def run() -> None:
        storage = {"location": place}
        async with (
            serving(tiny_model, tmp_path, storage=storage) as first,
            serving(tiny_model, tmp_path, storage=storage) as second,
        ):
            recording = motion(first.skeleton, 16)
            caller = await first.durable(recording, 700)
            await rename(second, 1, "by the second")
            await rename(first, 2, "by the first")
            await caller.send(recording, 700)
            await caller.finish()
            for served in (first, second):
                found = await clusters(served)
                assert (found[1].name, found[2].name) == ("by the second", "by the first")

    asyncio.run(run())


def test_why_a_stream_was_refused_outlives_the_server(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            caller = await first.opened(delivery=DURABLE)
            await caller.send(motion(first.skeleton, 4), 0, 300)
            await caller.write(
                frames=still_frames(first, 301, values=np.full((3, first.skeleton.width), np.nan, np.float32))
            )
            refused = await caller.failure()
            assert refused[0] == grpc.StatusCode.INVALID_ARGUMENT
            again = await resumed(second, caller)
            assert await again.failure() == refused

    asyncio.run(run())


def test_an_open_that_another_one_came_before_may_be_tried_again(tiny_model: Path, tmp_path: Path) -> None:
    """Another Open with the same token claims the stream between the look-up and the claim."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as first, serving(tiny_model, tmp_path) as second:
            caller = await first.opened(delivery=DURABLE)
            caller.call.cancel()
            await first.lost("lab")
            token = caller.opened.resume_token
            take_over = SqliteCheckpoints.take_over

            def late(self: SqliteCheckpoints, key: str, epoch: int) -> KeptStream:
                self.claim(key, epoch)
                return take_over(self, key, epoch)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(SqliteCheckpoints, "take_over", late)
                with pytest.raises(grpc.aio.AioRpcError, match="which came just now: reconnect") as caught:
                    await second.opened(delivery=DURABLE, resume_token=token)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            again = await second.opened(delivery=DURABLE, resume_token=token)
            assert again.opened.resumed

    asyncio.run(run())
