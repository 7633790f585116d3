"""The client against a server that answers as a script says: streams, and the calls beside them."""

import asyncio
import re
import signal
import time
from collections.abc import AsyncIterator, Iterator

import grpc
import numpy as np
import pytest
from tests.support.numbered_frames import Pair, labels, pairs
from tests.support.scripted_server import COLUMNS, Act, ScriptedServer

from motionscribe import AsyncClient, Client, IterableSource, Poses, errors
from motionscribe.events import Event, SegmentEnded, SegmentStarted
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_proto import segmentation_pb2 as pb


def test_every_frame_is_answered_once_and_in_order() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        stream = client.stream(pairs(1000))
        assert stream.opened.model.name == "echo"
        assert stream.opened.latency_us == 500_000
        assert list(stream) == labels(1000)
        assert list(stream) == []


def test_what_the_open_message_says() -> None:
    skeleton = feature_skeleton("machine", COLUMNS, 50.0)
    with ScriptedServer() as server, Client(server.address) as client:
        named = IterableSource(pairs(3), name="my machine/7", skeleton=skeleton)
        list(client.stream(named, model="echo", version="2", lag="stable", provisional=False))
        list(client.stream(pairs(3), stream_id="mine"))
        with pytest.raises(ValueError, match="expected lag to be one of fast, balanced, stable, got 'slow'"):
            client.stream(pairs(3), lag="slow")  # type: ignore[arg-type]  # wrong on purpose
        with pytest.raises(ValueError, match="expected more than 0 false alarms an hour of kind motion, got -1"):
            client.stream(pairs(3), false_alarms_per_hour={"motion": -1})
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
        with pytest.raises(errors.BadFrames, match=r"shape \(2,\), got \(3,\)"):
            list(client.stream([*pairs(3), (5, (1.0, 2.0, 3.0))]))
        with pytest.raises(errors.BadFrames, match=r"whole microseconds, got 0[.]5"):
            list(client.stream([(0.5, (1.0, 2.0))]))  # type: ignore[list-item]  # wrong on purpose
        with pytest.raises(TypeError, match="got int"):
            client.stream(5)  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
def test_whatever_a_source_raises_reaches_the_consumer_and_harms_no_other_stream(kind: type[BaseException]) -> None:
    def camera() -> Iterator[Pair]:
        yield from pairs(15)
        raise kind

    with ScriptedServer() as server, Client(server.address) as client:
        came: list[Event] = []
        with pytest.raises(kind):
            came.extend(client.stream(camera(), block=5))
        assert list(client.stream(pairs(15), block=5)) == labels(15)


def test_a_signal_handler_that_raises_loses_no_event() -> None:
    """As a time-out around `next` does that is made with SIGALRM."""

    class TooLateError(Exception):
        pass

    def ring(*_: object) -> None:
        raise TooLateError

    def slow() -> Iterator[Pair]:
        for pair in pairs(60):
            time.sleep(0.005)
            yield pair

    before = signal.signal(signal.SIGALRM, ring)
    came: list[Event] = []
    alarms = 0
    try:
        with ScriptedServer() as server, Client(server.address) as client:
            stream = client.stream(slow(), block=5)
            while True:
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.01)
                    came.append(next(stream))
                except TooLateError:
                    alarms += 1
                except StopIteration:
                    break
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert alarms
    assert came == labels(60)


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
            client.watch("dead")


def test_watching_with_poses() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        poses, *events = client.watch("live", poses=True)
        assert [type(event) for event in events] == [SegmentStarted, SegmentEnded]
        assert isinstance(poses, Poses)
        assert (poses.first_seq, poses.timestamps_us.tolist()) == (60, [590_000, 600_000])
        assert [array.dtype.name for array in (poses.timestamps_us, poses.frames)] == ["int64", "float32"]
        assert np.array_equal(poses.frames, [[1, 0.5], [1, np.nan]], equal_nan=True)


@pytest.mark.parametrize(
    "poses",
    [
        pb.Poses(first_seq=1),
        pb.Poses(first_seq=1, timestamps_us=[1]),
        pb.Poses(first_seq=1, timestamps_us=[1, 2], values=bytes(12)),
        pb.Poses(first_seq=1, timestamps_us=[1], values=bytes(5)),
    ],
)
def test_poses_that_are_none_are_the_servers_failure(poses: pb.Poses) -> None:
    class Wrong(ScriptedServer):
        def Watch(  # noqa: N802
            self, request: pb.WatchRequest, context: grpc.ServicerContext
        ) -> Iterator[pb.StreamResponse]:
            yield pb.StreamResponse(update=pb.Update())
            yield pb.StreamResponse(poses=poses)

    with (
        Wrong() as server,
        Client(server.address) as client,
        client.watch("live", poses=True) as watch,
        pytest.raises(errors.ServerFailed, match="expected float32 poses for each of"),
    ):
        next(watch)


def test_streams() -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        (live, lost) = client.streams()
        assert (live.stream_id, live.has_owner) == ("live", True)
        assert (lost.stream_id, lost.has_owner) == ("lost", False)
        assert (live.model, live.version, live.rate_hz, live.received_seq) == ("echo", "2", 50.0, 61)
        assert live.skeleton == client.describe("echo").skeleton


def test_a_client_that_closes_ends_what_it_watches() -> None:
    with ScriptedServer() as server:
        with Client(server.address) as client:
            watching = client.watch("live")
            next(watching)
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
