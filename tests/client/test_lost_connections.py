"""Every event once, whatever happens to the connection; and when the client gives up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import pytest
from tests.support.numbered_frames import labels, pairs
from tests.support.scripted_server import Act, ScriptedServer
from tests.support.serving import alone, final, motion, serving

from motionscribe import AsyncClient, Backoff, Client, errors
from motionscribe.events import Event, Restarted
from motionscribe_server.session.options import SessionOptions

AT_ONCE = Backoff(first_s=0.0, longest_s=0.0, attempts=5)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "acts",
    [
        [Act(after_frames=30)],
        [Act(after_frames=30, silent=True), Act(after_frames=20)],
        [Act(after_frames=10, status=grpc.StatusCode.CANCELLED)],
        [Act(after_frames=30, go_away=True)],
        [Act(go_away=True, after_frames=1), Act(silent=True, after_frames=80)],
        [Act(after_frames=20), Act(status=UNAVAILABLE), Act(status=UNAVAILABLE), Act(after_frames=20)],
    ],
    ids=["drop", "drop unanswered", "cancel", "go away", "go away twice", "stay away"],
)
@pytest.mark.parametrize("credits", [7, 1000])
def test_a_lost_connection_loses_and_repeats_nothing(acts: list[Act], credits: int) -> None:
    with ScriptedServer(*acts, credits=credits) as server, Client(server.address, backoff=AT_ONCE) as client:
        stream = client.stream(pairs(100), stream_id="arm-1")
        assert list(stream) == labels(100)
        assert not server.acts
        assert {opening.stream_id for opening in server.opens} == {"arm-1"}
        assert [opening.resume_token for opening in server.opens] == ["", *["token-1"] * (len(server.opens) - 1)]
        assert stream.opened.epoch == len(server.opens) > 1


def test_a_server_that_comes_back_finds_the_stream_again() -> None:
    with ScriptedServer(credits=20) as server, Client(server.address, backoff=Backoff(0.01, 0.1, 100)) as client:
        came: list[Event] = []
        for event in client.stream(pairs(200)):
            came.append(event)
            if len(came) == 50:
                server.restart()
        assert came == labels(200)
        assert len(server.opens) == 2
        assert server.opens[1].last_event >= 50


def test_a_lost_session_is_told_and_the_stream_goes_on() -> None:
    with (
        ScriptedServer(Act(after_frames=20), Act(forget=True)) as server,
        Client(server.address, backoff=AT_ONCE) as client,
    ):
        events = list(client.stream(pairs(100), block=20))
        assert not client.stream(pairs(1)).opened.resumed
    (at,) = [n for n, event in enumerate(events) if isinstance(event, Restarted)]
    restarted = events.pop(at)
    assert isinstance(restarted, Restarted)
    assert restarted.seq == at + 1
    # of the next frame, or of the last one where the source has not given the next one yet
    assert restarted.time_us in (10_000 * at, 10_000 * (at - 1))
    assert events == labels(100)


def test_answers_that_were_lost_with_the_session_are_an_error() -> None:
    acts = [Act(after_frames=100, silent=True), Act(forget=True)]
    with ScriptedServer(*acts) as server, Client(server.address, backoff=AT_ONCE) as client:
        events: list[Event] = []
        with pytest.raises(errors.ServerFailed, match="lost the session before its last answers came"):
            events.extend(client.stream(pairs(100)))
        assert [type(event) for event in events] == [Restarted]


def test_a_consumer_has_acknowledged_what_it_took() -> None:
    async def run(address: str) -> list[Event]:
        async with AsyncClient(address) as client, asyncio.timeout(20):
            return [event async for event in client.stream(pairs(100))]

    with ScriptedServer(Act(until_acknowledged=True)) as server:
        assert asyncio.run(run(server.address)) == labels(100)
        assert server.sessions["token-1"].acknowledged == 100


def test_it_gives_up_when_the_server_stays_away() -> None:
    acts = [Act(after_frames=10), *[Act(status=UNAVAILABLE)] * 9]
    with ScriptedServer(*acts) as server, Client(server.address, backoff=AT_ONCE) as client:
        came: list[Event] = []
        with pytest.raises(errors.ConnectionFailed, match=r"gave up after 5 attempts.*refused on purpose"):
            came.extend(client.stream(pairs(100)))
        assert came == labels(len(came))
        assert len(server.acts) == 4


def test_it_gives_up_when_no_server_is_there_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("motionscribe.connection.link.REOPEN_S", 0.2)
    with ScriptedServer() as server, Client(server.address, backoff=AT_ONCE) as client:
        stream = iter(client.stream(pairs(10**6)))
        next(stream)
        server.stop()
        with pytest.raises(errors.ConnectionFailed, match=r"gave up after 5 attempts.*no connection .* for 0.2 s"):
            list(stream)


def test_attempts_count_from_the_last_answer() -> None:
    acts = [Act(after_frames=10)] * 9
    once = Backoff(first_s=0.0, longest_s=0.0, attempts=1)
    with ScriptedServer(*acts) as server, Client(server.address, backoff=once) as client:
        assert list(client.stream(pairs(100))) == labels(100)


@asynccontextmanager
async def cutting(port: int, cuts: list[int]) -> AsyncIterator[str]:
    """Address of a relay to a server that cuts its first connections after so many bytes of the client's."""
    tasks: set[asyncio.Task[None]] = set()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_server = await asyncio.open_connection("127.0.0.1", port)
        left = cuts.pop(0) if cuts else None
        back = asyncio.create_task(pump(there, writer, None))
        try:
            await pump(reader, to_server, left)
        finally:
            back.cancel()
            for end in (writer, to_server):
                end.transport.abort()
            await asyncio.gather(back, return_exceptions=True)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(relay(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, left: int | None) -> None:
        with suppress(ConnectionError):
            while (left is None or left > 0) and (data := await source.read(4096)):
                sink.write(data)
                await sink.drain()
                left = None if left is None else left - len(data)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


def test_cut_connections_change_nothing_that_a_real_server_says(tiny_model: Path, tmp_path: Path) -> None:
    cuts = [150_000, 40_000, 90_000]

    async def run() -> tuple[list[Event], list[Event], int]:
        async with serving(tiny_model, tmp_path) as served, cutting(served.server.port, cuts) as address:
            recording = motion(served.skeleton, 10)
            async with AsyncClient(address, backoff=Backoff(0.01, 0.1, 50)) as client:
                stream = client.stream(recording)
                got = [event async for event in stream]
            return final(got), final(alone(served, recording, SessionOptions())), stream.opened.epoch

    got, expected, epoch = asyncio.run(run())
    assert got == expected
    assert not cuts
    assert epoch == 4


def test_backoff_grows_to_its_limit() -> None:
    backoff = Backoff(first_s=1.0, longest_s=8.0, attempts=3)
    for attempt, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (5000, 8.0)]:
        assert all(longest / 2 <= backoff.wait_s(attempt) <= longest for _ in range(20))
    with pytest.raises(ValueError, match="first_s <= longest_s"):
        Backoff(first_s=2.0, longest_s=1.0)


def test_an_open_that_nobody_answered_may_take_the_stream_later_and_is_followed() -> None:
    """A server that was slow to read it believes that it is the newest; the client knows better, once for each."""
    acts = [
        Act(after_frames=20),
        Act(status=UNAVAILABLE),
        Act(after_frames=20, status=grpc.StatusCode.ABORTED),
    ]
    with ScriptedServer(*acts) as server, Client(server.address, backoff=AT_ONCE) as client:
        assert list(client.stream(pairs(100))) == labels(100)
    aborted = [Act(after_frames=20), Act(after_frames=20, status=grpc.StatusCode.ABORTED)]
    with (
        ScriptedServer(*aborted) as server,
        Client(server.address, backoff=AT_ONCE) as client,
        pytest.raises(errors.StreamInUse),
    ):
        list(client.stream(pairs(100)))
