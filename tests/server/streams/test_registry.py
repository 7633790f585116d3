"""The registry where many do something at once: nobody waits for another stream's store or worker, races end right.

Workers are made up and answer at once, unless a test shuts their gate; the store is a real file behind a gate.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.fake_workers import FakePool, Gate, GatedStore
from tests.support.made_up_session import made_up_model

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_server.engine.messages import EngineInfo
from motionscribe_server.errors import (
    ExhaustedError,
    ForgottenError,
    InUseError,
    NotFoundError,
    ServerError,
    SupersededError,
    UnavailableError,
)
from motionscribe_server.metrics import Metrics
from motionscribe_server.session.edits import Rename
from motionscribe_server.settings import Settings
from motionscribe_server.storage.sqlite_store import SqliteStore
from motionscribe_server.streams.catalog import Catalog, LoadedModel
from motionscribe_server.streams.life import Life
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.registry import Registry
from motionscribe_server.streams.update_writer import UpdateWriter

MODEL = LoadedModel(made_up_model(), EngineInfo("fp32", "none", "", ()))
EDIT = Rename(1, "edited")
Opened = tuple[LiveStream, UpdateWriter, pb.Opened]
Work = Callable[[], Coroutine[Any, Any, Any]]


@dataclass
class House:
    """A registry and what it stands on."""

    registry: Registry
    pool: FakePool
    store: GatedStore
    now: float = 0.0

    async def open(self, stream_id: str, token: str = "", durable: bool = False) -> Opened:
        """An Open that fits the model."""
        delivery = pb.DELIVERY_DURABLE if durable else pb.DELIVERY_LIVE
        features = pb.FeatureNames(names=MODEL.manifest.skeleton.columns)
        message = pb.Open(stream_id=stream_id, features=features, resume_token=token, delivery=delivery)
        return await self.registry.open(message)

    async def lost(self, stream_id: str) -> str:
        """A stream that was opened and lost its owner; its token."""
        stream, writer, opened = await self.open(stream_id)
        await self.registry.leave(stream, writer, done=False)
        return opened.resume_token

    @property
    def keys(self) -> set[str]:
        """Of the streams that are there; each has one session, and no session is left over."""
        streams = self.registry.streams
        assert {stream.link.id for stream in streams} == {link.id for link in self.pool.sessions}
        return {stream.info.key for stream in streams}

    def shut_store(self) -> Gate:
        """Whoever asks the store from now on waits at this gate."""
        self.store.gate.shut()
        return self.store.gate

    def let_others_pass(self) -> None:
        """Who asks the store from now on does not wait; who asked before still does."""
        self.store.gate = Gate()


@asynccontextmanager
async def house(folder: Path, **values: Any) -> AsyncIterator[House]:
    """With a clock that stands still until a test moves it."""
    pool, store = FakePool(), GatedStore(SqliteStore(folder / "store.sqlite"))
    defaults: dict[str, Any] = {"models": folder, "retention_s": 100.0}
    registry = Registry(Settings(**defaults | values), Catalog([MODEL]), store, pool, Metrics(), lambda: 0.0)  # type: ignore[arg-type]  # made up
    built = House(registry, pool, store)
    registry.now = lambda: built.now
    try:
        async with asyncio.timeout(20):
            yield built
            assert not registry._locks.in_use()
    finally:
        store.gate.open()
        await store.close()


async def begun(work: Coroutine[Any, Any, Any], gate: Gate) -> asyncio.Task[Any]:
    """Runs until it waits at the gate."""
    task, before = asyncio.create_task(work), gate.waiting
    while gate.waiting == before:
        assert not task.done(), "it never came to the gate"
        await asyncio.sleep(0.001)
    return task


async def waits(task: asyncio.Task[Any]) -> bool:
    """It does not end by itself."""
    await asyncio.sleep(0.05)
    return not task.done()


async def end_of(writer: UpdateWriter) -> Exception | None:
    """What ends the call of a writer."""

    async def nothing(*_: object) -> None:
        pass

    try:
        async with asyncio.timeout(5):
            await writer.drain(nothing, nothing, 5)
    except ServerError as error:
        return error
    return None


# -- one key does not wait for another


async def everything_works(house: House, key: str) -> None:
    """Open, resume, edit, read, leave, delete."""
    stream, writer, opened = await house.open(key)
    assert (await house.registry.edit(key, EDIT))[0].name == "edited"
    await house.registry.leave(stream, writer, done=False)
    stream, writer, again = await house.open(key, opened.resume_token)
    assert again.resumed
    await house.registry.leave(stream, writer, done=True)
    assert (await house.registry.edit(key, EDIT))[0].name == "edited"
    await house.registry.forget(key)


def test_a_worker_that_is_slow_for_one_stream_holds_up_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, _, _ = await h.open("slow")
            gate: Gate = stream.link.gate  # type: ignore[attr-defined]  # a made-up link
            gate.shut()
            slow = await begun(h.registry.edit("slow", EDIT), gate)
            await everything_works(h, "other")
            await h.registry.reap()
            assert await waits(slow)
            gate.open()
            assert (await slow)[0].name == "edited"

    asyncio.run(run())


def test_a_session_that_is_slow_to_begin_holds_up_no_other(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            h.pool.gate.shut()
            gate, slow = h.pool.gate, await begun(h.open("slow"), h.pool.gate)
            h.pool.gate = Gate()
            await everything_works(h, "other")
            assert await waits(slow)
            gate.open()
            await slow
            assert h.keys == {"slow"}

    asyncio.run(run())


@pytest.mark.parametrize("what", ["open", "edit", "forget", "leave"])
def test_a_store_call_that_is_slow_for_one_stream_holds_up_no_other(tmp_path: Path, what: str) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, writer, _ = await h.open("slow")
            if what == "open":
                await h.registry.leave(stream, writer, done=True)
            gate = h.shut_store()
            work: dict[str, Work] = {
                "open": lambda: h.open("slow"),
                "edit": lambda: h.registry.edit("slow", EDIT),
                "forget": lambda: h.registry.forget("slow"),
                "leave": lambda: h.registry.leave(stream, writer, done=True),
            }
            slow = await begun(work[what](), gate)
            h.let_others_pass()
            await everything_works(h, "other")
            same_key = asyncio.create_task(h.open("slow", "no token"))
            assert await waits(slow)
            assert await waits(same_key), "what is done to one stream happens in turn"
            gate.open()
            await slow
            if what in ("open", "edit"):
                with pytest.raises(InUseError):
                    await same_key
            else:
                await same_key
            assert h.keys == {"slow"}

    asyncio.run(run())


# -- races for a place


@pytest.mark.parametrize("first", ["a", "b"])
def test_two_that_want_the_last_place_do_not_both_get_it(tmp_path: Path, first: str) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            h.pool.gate.shut()
            gates = {}
            tasks = {}
            for key in ("a", "b"):
                gates[key] = h.pool.gate
                tasks[key] = await begun(h.open(key), h.pool.gate)
                h.pool.gate = Gate()
                h.pool.gate.shut()
            second = {"a": "b", "b": "a"}[first]
            gates[first].open()
            await tasks[first]
            gates[second].open()
            with pytest.raises(ExhaustedError, match="at most 2 live streams"):
                await tasks[second]
            assert h.keys == {"live", first}

    asyncio.run(run())


def test_two_that_want_the_place_of_one_lost_stream_evict_it_once(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            await h.lost("lost")
            gate = h.shut_store()  # both wait for what is stored of them
            tasks = [await begun(h.open(key), gate) for key in ("a", "b")]
            gate.open()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert sorted(isinstance(result, ExhaustedError) for result in results) == [False, True]
            assert len(h.keys) == 2
            assert "lost" not in h.keys

    asyncio.run(run())


def test_a_place_is_free_as_soon_as_its_stream_begins_to_go(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            stream, writer, _ = await h.open("ends")
            gate = h.shut_store()
            ending = await begun(h.registry.leave(stream, writer, done=True), gate)
            h.let_others_pass()
            await h.open("next")
            gate.open()
            await ending
            assert h.keys == {"live", "next"}

    asyncio.run(run())


@pytest.mark.parametrize("what", ["edited", "resumed", "deleted"])
def test_a_lost_stream_that_is_in_use_is_waited_for(tmp_path: Path, what: str) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=2) as h:
            await h.open("live")
            token = await h.lost("lost")
            gate: Gate = h.registry.find("lost").link.gate  # type: ignore[union-attr]  # a made-up link
            work: dict[str, Work] = {
                "edited": lambda: h.registry.edit("lost", EDIT),
                "resumed": lambda: h.open("lost", token),
            }
            if what == "deleted":
                gate = h.shut_store()
                task = await begun(h.registry.forget("lost"), gate)
                h.let_others_pass()
            else:
                gate.shut()
                task = await begun(work[what](), gate)
            newcomer = asyncio.create_task(h.open("new"))
            if what != "deleted":  # a deleted stream has no place any more
                assert await waits(newcomer)
            gate.open()
            await task
            if what == "resumed":
                with pytest.raises(ExhaustedError):
                    await newcomer
                assert h.keys == {"live", "lost"}
            else:
                await newcomer
                assert h.keys == {"live", "new"}

    asyncio.run(run())


def test_a_refused_open_evicts_nobody_and_keeps_no_place(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=1) as h:
            token = await h.lost("lost")
            with pytest.raises(NotFoundError):
                await h.registry.edit("nobody", EDIT)
            with pytest.raises(ServerError):
                await h.registry.open(pb.Open(stream_id="new"))
            assert (await h.open("lost", token))[2].resumed
            with pytest.raises(ExhaustedError):
                await h.open("new")
            await h.registry.forget("lost")
            await h.open("new")
            assert h.keys == {"new"}

    asyncio.run(run())


# -- races with the end of the server


def test_a_stream_that_is_opened_while_the_server_drains_is_sent_away_too(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            _, early, _ = await h.open("early")
            h.pool.gate.shut()
            late = await begun(h.open("late"), h.pool.gate)
            queued = asyncio.create_task(h.open("late"))
            await asyncio.sleep(0)
            draining = asyncio.create_task(h.registry.drain())
            assert isinstance(await end_of(early), UnavailableError), "it does not wait for the slow one"
            with pytest.raises(UnavailableError, match="about to stop"):
                await h.open("too-late")
            assert await waits(draining)
            h.pool.gate.open()
            _, writer, _ = await late
            await draining
            assert isinstance(await end_of(writer), UnavailableError)
            with pytest.raises(UnavailableError, match="about to stop"):
                await queued

    asyncio.run(run())


# -- races for one key


def test_a_stream_that_is_deleted_while_it_is_opened_is_gone(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            h.pool.gate.shut()
            opening = await begun(h.open("a", durable=True), h.pool.gate)
            forgetting = asyncio.create_task(h.registry.forget("a"))
            assert await waits(forgetting)
            h.pool.gate.open()
            _, writer, _ = await opening
            await forgetting
            assert isinstance(await end_of(writer), ForgottenError)
            assert h.keys == set()
            with pytest.raises(NotFoundError):
                await h.registry.clusters("a")
            with pytest.raises(NotFoundError):
                await h.registry.forget("a")

    asyncio.run(run())


def test_an_open_that_meets_a_deletion_begins_afresh(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            token = await h.lost("a")
            gate = h.shut_store()
            forgetting = await begun(h.registry.forget("a"), gate)
            opening = asyncio.create_task(h.open("a", token))
            assert await waits(opening)
            gate.open()
            await forgetting
            _, _, opened = await opening
            assert not opened.resumed
            assert h.keys == {"a"}

    asyncio.run(run())


def test_an_edit_that_meets_a_deletion_leaves_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, _, _ = await h.open("a")
            gate: Gate = stream.link.gate  # type: ignore[attr-defined]  # a made-up link
            gate.shut()
            editing = await begun(h.registry.edit("a", EDIT), gate)
            forgetting = asyncio.create_task(h.registry.forget("a"))
            assert await waits(forgetting)
            gate.open()
            assert (await editing)[0].name == "edited"
            await forgetting
            for _ in range(2):  # neither the stream nor the store has it
                with pytest.raises(NotFoundError):
                    await h.registry.edit("a", EDIT)
            assert h.keys == set()

    asyncio.run(run())


def test_a_deleted_stream_saves_nothing_late(tmp_path: Path) -> None:
    """Its clusters are asked for before it is deleted, and come after."""

    async def run() -> None:
        async with house(tmp_path) as h:
            stream, writer, _ = await h.open("a")
            gate: Gate = stream.link.gate  # type: ignore[attr-defined]  # a made-up link
            gate.shut()
            leaving = await begun(h.registry.leave(stream, writer, done=False), gate)
            await h.registry.forget("a")
            gate.open()
            await leaving
            with pytest.raises(NotFoundError):
                await h.registry.clusters("a")

    asyncio.run(run())


def test_a_stream_is_resumed_or_reaped_and_never_both(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            token = await h.lost("a")
            h.now = 100.0
            gate: Gate = h.registry.find("a").link.gate  # type: ignore[union-attr]  # a made-up link
            gate.shut()
            resuming = await begun(h.open("a", token), gate)
            await h.registry.reap()  # the stream is overdue, and somebody is at it
            gate.open()
            stream, writer, opened = await resuming
            assert opened.resumed
            assert stream.life is Life.LIVE
            await h.registry.leave(stream, writer, done=False)
            h.now = 200.0
            gate = h.shut_store()
            reaping = await begun(h.registry.reap(), gate)
            late = asyncio.create_task(h.open("a", token))
            assert await waits(late)
            gate.open()
            await reaping
            _, _, opened = await late
            assert not opened.resumed
            assert h.keys == {"a"}

    asyncio.run(run())


def test_a_stream_that_ends_is_not_resumed_on_the_way_out(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, writer, opened = await h.open("a")
            stream.finish()
            assert await end_of(writer) is None
            gate = h.shut_store()
            leaving = await begun(h.registry.leave(stream, writer, done=True), gate)
            late = asyncio.create_task(h.open("a", opened.resume_token))
            assert await waits(late)
            gate.open()
            await leaving
            _, _, again = await late
            assert not again.resumed
            assert h.keys == {"a"}

    asyncio.run(run())


def test_of_two_that_resume_a_stream_the_later_one_has_it(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            stream, first, opened = await h.open("a")
            results = await asyncio.gather(*(h.open("a", opened.resume_token) for _ in range(3)))
            assert [each[2].epoch for each in results] == [2, 3, 4]
            for writer in (first, results[0][1], results[1][1]):
                assert isinstance(await end_of(writer), SupersededError)
                await h.registry.leave(stream, writer, done=False)
            assert stream.owner is results[2][1]
            assert stream.life is Life.LIVE

    asyncio.run(run())


# -- what goes wrong on the way


def test_an_open_that_is_cancelled_leaves_nothing_for_ever(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=1) as h:
            for gate in (h.pool.gate, h.store.gate):
                gate.shut()
                opening = await begun(h.open("a"), gate)
                opening.cancel()
                await asyncio.wait([opening])
                gate.open()
            assert h.keys == set()
            stream, writer, opened = await h.open("a")
            await h.registry.leave(stream, writer, done=False)
            gate = stream.link.gate  # type: ignore[attr-defined]  # a made-up link
            gate.shut()
            resuming = await begun(h.open("a", opened.resume_token), gate)
            resuming.cancel()
            await asyncio.wait([resuming])
            gate.open()
            h.now = 100.0
            await h.registry.reap()
            assert h.keys == set()
            await h.open("b")

    asyncio.run(run())


def test_a_store_that_fails_on_the_way_leaves_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with house(tmp_path, max_streams=1) as h:
            checkpoints = type(SqliteStore(tmp_path / "other").checkpoints)
            with monkeypatch.context() as patch:
                patch.delattr(checkpoints, "begin")
                with pytest.raises(AttributeError):
                    await h.open("a", durable=True)
            assert h.keys == set()
            await h.open("b", durable=True)

    asyncio.run(run())


def test_a_worker_that_dies_while_a_stream_is_resumed_says_reconnect(tmp_path: Path) -> None:
    async def run() -> None:
        async with house(tmp_path) as h:
            token = await h.lost("a")
            link: Any = h.registry.find("a").link  # type: ignore[union-attr]
            link.gate.shut()
            resuming = await begun(h.open("a", token), link.gate)
            link.die()
            link.is_dead = False  # the clusters were on their way
            link.gate.open()
            with pytest.raises(UnavailableError, match="failed while it was opened"):
                await resuming
            assert not (await h.open("a", token))[2].resumed
            assert h.keys == {"a"}

    asyncio.run(run())


# -- anything at once

KEYS = "abcd"
actions = st.tuples(
    st.sampled_from(["open", "open", "open", "resume", "leave", "finish", "edit", "forget", "reap", "die", "durable"]),
    st.sampled_from(KEYS),
    st.integers(0, 3),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, max_size=40))
def test_whatever_happens_at_once_the_books_are_right(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[tuple[str, str, int]]
) -> None:
    """Never more streams than places, a session for each, no lock and no place held by nobody."""

    async def run() -> None:
        async with house(tmp_path_factory.mktemp("house"), max_streams=3) as h:
            tokens: dict[str, str] = {}

            async def act(what: str, key: str) -> None:
                stream = h.registry.find(key)
                match what:
                    case "open" | "resume" | "durable":
                        token = tokens.get(key, "") if what == "resume" else ""
                        _, _, opened = await h.open(key, token, what == "durable")
                        tokens[key] = opened.resume_token
                    case "leave" if stream and stream.owner:
                        await h.registry.leave(stream, stream.owner, done=False)
                    case "finish" if stream and stream.owner and stream.life.has_owner:
                        writer = stream.owner
                        stream.finish()
                        done = await end_of(writer) is None
                        await h.registry.leave(stream, writer, done)
                    case "edit":
                        await h.registry.edit(key, EDIT)
                    case "forget":
                        await h.registry.forget(key)
                    case "reap":
                        h.now += 60.0
                        await h.registry.reap()
                    case "die" if stream:
                        stream.link.die()  # type: ignore[attr-defined]  # a made-up link

            tasks = []
            for what, key, pause in sequence:
                tasks.append(asyncio.create_task(act(what, key)))
                for _ in range(pause):
                    await asyncio.sleep(0)
                assert len([s for s in h.registry.streams if s.life.has_owner]) <= 3
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, ServerError), result
            assert len(h.keys) <= 3
            for stream in h.registry.streams:
                if stream.owner:
                    await h.registry.leave(stream, stream.owner, done=False)
            h.now += 100.0
            await h.registry.reap()
            assert h.keys == set()
            for key in "xyz":
                await h.open(key)
            with pytest.raises(ExhaustedError):
                await h.open("one-too-many")

    asyncio.run(run())
