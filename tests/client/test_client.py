"""The client against a server that misbehaves: every event once, whatever happens to the connection."""

import asyncio
import re
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import grpc
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.scripted_server import COLUMNS, Act, ScriptedServer
from tests.support.serving import alone, final, motion, serving

from motionscribe import AsyncClient, Backoff, Client, FrameBlock, IterableSource, errors
from motionscribe.connection.channel import is_local
from motionscribe.connection.delivery import Inbox, Outbox
from motionscribe.events import Event, Label, Restarted, SegmentEnded, SegmentStarted
from motionscribe.pacing import Pacer
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages
from motionscribe_server.session.options import SessionOptions

AT_ONCE = Backoff(first_s=0.0, longest_s=0.0, attempts=5)
UNAVAILABLE = grpc.StatusCode.UNAVAILABLE

Pair = tuple[int, tuple[float, float]]


def pairs(count: int) -> list[Pair]:
    """A recording whose labels are known: frame n shows cluster n % 5."""
    return [(10_000 * n, (float(n % 5), 0.5)) for n in range(count)]


def labels(count: int, first_seq: int = 1) -> list[Event]:
    """What the scripted server answers to it."""
    return [Label(n + first_seq, n + first_seq + 1, 10_000 * n, 10_000 * n + 1, n % 5, 1.0, True) for n in range(count)]


def test_every_frame_is_answered_once_and_in_order() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        stream = client.stream(pairs(1000))
        assert stream.opened.model.name == "echo"
        assert stream.opened.latency_us == 500_000
        assert list(stream) == labels(1000)
        assert list(stream) == []


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
    assert (restarted.seq, restarted.time_us) == (at + 1, 10_000 * at)
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


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, errors.BadFrames),
        (grpc.StatusCode.NOT_FOUND, errors.UnknownModel),
        (grpc.StatusCode.FAILED_PRECONDITION, errors.DoesNotFit),
        (grpc.StatusCode.ALREADY_EXISTS, errors.StreamInUse),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.TooMuch),
        (grpc.StatusCode.UNIMPLEMENTED, errors.NotOffered),
        (grpc.StatusCode.INTERNAL, errors.ServerFailed),
    ],
)
@pytest.mark.parametrize("after_frames", [0, 10], ids=["at the door", "midway"])
def test_refusals_are_typed_and_not_tried_again(
    status: grpc.StatusCode, kind: type[errors.MotionscribeError], after_frames: int
) -> None:
    with ScriptedServer(Act(status=status, after_frames=after_frames)) as server, Client(server.address) as client:
        with pytest.raises(kind, match="on purpose"):
            list(client.stream(pairs(100)))
        assert len(server.opens) == (1 if after_frames else 0)
        assert list(client.stream(pairs(10))) == labels(10)


def test_without_a_server_the_error_names_the_address() -> None:
    with ScriptedServer() as server:
        address = server.address
    with Client(address) as client:
        with pytest.raises(errors.ConnectionFailed, match=re.escape(f"no connection to {address}")):
            client.stream(pairs(1))
        with pytest.raises(errors.ConnectionFailed, match=re.escape(f"no connection to {address}")):
            client.models()


def test_credentials_mean_encryption() -> None:
    with (
        ScriptedServer() as server,
        Client(server.address, credentials=grpc.ssl_channel_credentials()) as client,
        pytest.raises(errors.ConnectionFailed),
    ):
        client.models()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:1", True),
        ("127.8.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/tmp/x", True),
        ("192.0.2.1:1", False),
        ("example.org:443", False),
        ("127.0.0.1.example.org:1", False),
    ],
)
def test_only_loopback_is_plaintext_unasked(address: str, expected: bool) -> None:
    assert is_local(address) is expected


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (pb.StreamResponse(update=pb.Update()), "got update"),
        (pb.StreamResponse(), "got None"),
        (pb.StreamResponse(opened=pb.Opened(next_seq=1)), "got opened"),
        (pb.StreamResponse(opened=pb.Opened()), "next_seq of 1 or more, got 0"),
        (
            pb.StreamResponse(opened=pb.Opened(next_seq=1, model=pb.Model(skeleton=pb.Skeleton(joints=["a"])))),
            "one parent per joint",
        ),
    ],
)
def test_answers_that_make_no_sense_are_the_servers_failure(answer: pb.StreamResponse, text: str) -> None:
    with (
        ScriptedServer(Act(say=answer)) as server,
        Client(server.address) as client,
        pytest.raises(errors.ServerFailed, match=text),
    ):
        list(client.stream(pairs(10)))


def test_what_the_open_message_says() -> None:
    skeleton = feature_skeleton("machine", COLUMNS, 50.0)
    with ScriptedServer() as server, Client(server.address) as client:
        named = IterableSource(pairs(3), name="my machine/7", skeleton=skeleton)
        list(client.stream(named, model="echo", version="2", lag="stable", provisional=False))
        list(client.stream(pairs(3), stream_id="mine"))
        with pytest.raises(ValueError, match="expected lag to be one of fast, balanced, stable, got 'slow'"):
            client.stream(pairs(3), lag="slow")  # type: ignore[arg-type]  # wrong on purpose
    first, second = server.opens
    assert re.fullmatch(r"my-machine-7-[0-9a-f]{8}", first.stream_id)
    assert (first.model, first.version, first.rate_hz, first.lag) == ("echo", "2", 50.0, pb.LAG_STABLE)
    assert tuple(first.skeleton.joints) == COLUMNS
    assert not first.provisional
    assert (second.stream_id, second.lag, second.provisional) == ("mine", pb.LAG_BALANCED, True)
    assert tuple(second.features.names) == COLUMNS


def test_blocks_hold_a_tenth_of_a_second_unless_told() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        list(client.stream(pairs(25)))
        list(client.stream(pairs(25), block=25))
        list(client.stream(IterableSource(pairs(4), rate_hz=20.0)))
    assert server.blocks == [10, 10, 5, 25, 2, 2]


def test_a_stream_that_the_server_knows_is_numbered_on() -> None:
    with ScriptedServer(next_seq=501) as server, Client(server.address) as client:
        assert list(client.stream(pairs(10))) == labels(10, first_seq=501)


def test_what_a_source_raises_reaches_the_consumer() -> None:
    def camera() -> Iterator[Pair]:
        yield from pairs(15)
        raise OSError("camera unplugged")

    with ScriptedServer() as server, Client(server.address) as client:
        came: list[Event] = []
        with pytest.raises(OSError, match="camera unplugged"):
            came.extend(client.stream(camera(), block=5))
        assert came == labels(len(came))
        with pytest.raises(errors.BadFrames, match=r"one shape \(D,\), got \(2,\) and \(3,\)"):
            list(client.stream([*pairs(3), (5, (1.0, 2.0, 3.0))]))
        with pytest.raises(errors.BadFrames, match=r"whole microseconds, got 0[.]5"):
            list(client.stream([(0.5, (1.0, 2.0))]))  # type: ignore[list-item]  # wrong on purpose
        with pytest.raises(TypeError, match="got int"):
            client.stream(5)  # type: ignore[arg-type]  # wrong on purpose


def test_leaving_early_ends_the_call() -> None:
    def endless() -> Iterator[Pair]:
        n = 0
        while True:
            yield 10_000 * n, (float(n % 5), 0.5)
            n += 1

    with ScriptedServer() as server, Client(server.address) as client:
        with client.stream(endless()) as stream:
            assert next(stream) == labels(1)[0]
        assert list(stream) == []
        assert next(client.stream(endless())) == labels(1)[0]  # left open: the client closes it
    with pytest.raises(RuntimeError, match="closed"):
        client.models()


def test_the_async_client_takes_async_sources() -> None:
    async def feed() -> AsyncIterator[Pair]:
        for pair in pairs(55):
            await asyncio.sleep(0)
            yield pair

    async def run(address: str) -> list[Event]:
        async with AsyncClient(address) as client, client.stream(feed()) as stream:
            assert stream.opened.model.version == "2"
            return [event async for event in stream]

    with ScriptedServer(Act(after_frames=20)) as server:
        assert asyncio.run(run(server.address)) == labels(55)


def test_many_streams_share_a_client() -> None:
    async def run(address: str) -> list[list[Event]]:
        async def one(client: AsyncClient, count: int) -> list[Event]:
            return [event async for event in client.stream(pairs(count))]

        async with AsyncClient(address) as client, asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(client, 100 + n)) for n in range(5)]
        return [task.result() for task in tasks]

    with ScriptedServer(credits=30) as server:
        assert asyncio.run(run(server.address)) == [labels(100 + n) for n in range(5)]


def test_watching() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        assert list(client.watch("live")) == [
            SegmentStarted(1, 1, "walk", 1, 0),
            SegmentEnded(1, 1, "walk", 1, 61, 0, 500_000),
        ]
        assert isinstance(next(client.watch("live")), SegmentStarted)
        with pytest.raises(errors.NotFound, match="expected the stream 'live', got 'dead'"):
            list(client.watch("dead"))


def test_a_client_that_closes_ends_what_it_watches() -> None:
    with ScriptedServer() as server:
        with Client(server.address) as client:
            watching = client.watch("live")
            next(watching)
        assert isinstance(watching, Generator)
        watching.close()


def test_models_and_clusters() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        (model,) = client.models()
        assert model == client.describe("echo")
        assert (model.columns, model.latency_us["fast"], model.skeleton.parents) == (COLUMNS, 100_000, (-1, -1))
        with pytest.raises(errors.UnknownModel, match="got 'dance'"):
            client.describe("dance")
        assert [(c.id, c.name, c.merged_into, c.seconds) for c in client.clusters("any")] == [
            (1, "walk", None, 1.5),
            (2, "", None, 1.5),
        ]
        assert client.rename("any", 2, "run").name == "run"
        with pytest.raises(errors.NotFound, match="got 9"):
            client.rename("any", 9, "run")
        with pytest.raises(errors.BadRequest, match="128"):
            client.rename("any", 1, "x" * 129)
        assert client.merge("any", [1], into=2).name == "run"
        assert [c.id for c in client.clusters("any")] == [2]


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


# ---- the parts that need no network ----


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
    outbox.reopen(1, credits)
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
                outbox.reopen(len(server) + 1, credits)
    assert server == list(range(1, len(server) + 1))
    assert len(server) >= 100


def test_the_outbox_keeps_a_bounded_number_of_frames() -> None:
    outbox = Outbox(kept_frames=25)
    outbox.reopen(1, 10_000)
    for n in range(100):
        outbox.put(block(10 * n + 1, 10))
        assert outbox.take()
    outbox.reopen(1, 10_000)
    assert outbox.position == (976, 976)


def test_the_outbox_refuses_numbers_that_run_backwards() -> None:
    outbox = Outbox()
    outbox.reopen(101, 10)
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
        events = [Label(n, n + 1, 0, 0, 0, 1.0, True) for n in range(first, first + count)]
        got += inbox.take(pb.Update(first_event=first, events=events_to_messages(events)))
    numbers = [event.start_seq for event in got if isinstance(event, Label)]
    assert numbers == sorted(set(numbers))
    newest = 0
    expected: list[int] = []
    for first, count in spans:
        for n in range(first, first + count):
            if n > newest:
                newest = n
                expected.append(n)
    assert numbers == expected


def test_pacing_follows_source_time() -> None:
    now = 100.0
    pacer = Pacer(2.0, lambda: now)
    assert pacer.wait_s(5_000_000, 6_000_000) == pytest.approx(0.5)
    now = 100.25
    assert pacer.wait_s(6_000_000, 7_000_000) == pytest.approx(0.75)
    now = 200.0
    assert pacer.wait_s(7_000_000, 8_000_000) == 0.0
    with pytest.raises(ValueError, match="speed above 0, got 0"):
        Pacer(0.0)


def test_backoff_grows_to_its_limit() -> None:
    backoff = Backoff(first_s=1.0, longest_s=8.0, attempts=3)
    for attempt, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (4, 8.0), (5, 8.0), (5000, 8.0)]:
        assert all(longest / 2 <= backoff.wait_s(attempt) <= longest for _ in range(20))
    with pytest.raises(ValueError, match="first_s <= longest_s"):
        Backoff(first_s=2.0, longest_s=1.0)
