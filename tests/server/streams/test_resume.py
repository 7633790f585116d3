"""Lost connections, take-overs, retention and draining, on a real server."""

import asyncio
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.support.caller import Caller
from tests.support.serving import Served, alone, final, motion, serving
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_to_messages, skeleton_to_message
from motionscribe_proto.events import AnomalyScores, ClusterCreated, Label, SegmentStarted
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.streams.event_backlog import EventBacklog

Code = grpc.StatusCode
QUIET = SessionOptions(provisional=False)


def _label(seq: int, final: bool) -> pb.Event:
    (message,) = events_to_messages([Label(seq, seq + 1, seq, seq + 1, 1, 1.0, final)])
    return message


def test_an_outbox_keeps_what_is_final_until_it_is_acknowledged() -> None:
    backlog = EventBacklog()
    (started,) = events_to_messages([SegmentStarted(1, 1, "", 1, 0)])
    assert backlog.append([_label(1, True), _label(2, False), started]) == 1
    assert backlog.append([_label(3, True)]) == 4
    assert backlog.last_event == 4
    assert backlog.runs_after(0) == [(1, [_label(1, True)]), (3, [started, _label(3, True)])]
    assert backlog.runs_after(3) == [(4, [_label(3, True)])]
    backlog.acknowledge(3)
    assert backlog.runs_after(0) == [(4, [_label(3, True)])]
    backlog.acknowledge(2**63)
    assert backlog.runs_after(0) == []
    assert backlog.append([started]) == 5


def test_an_outbox_keeps_no_anomaly_scores_but_numbers_them() -> None:
    backlog = EventBacklog()
    (scores,) = events_to_messages([AnomalyScores(1, 4, 0, 100_000, 30.0, 2.0, 600.0)])
    backlog.append([scores, _label(1, True), scores])
    assert (backlog.last_event, backlog.runs_after(0)) == (3, [(2, [_label(1, True)])])


def test_an_outbox_is_bounded_and_the_oldest_goes_first() -> None:
    backlog = EventBacklog(kept=3)
    backlog.append([_label(seq, True) for seq in range(1, 11)])
    assert backlog.runs_after(0) == [(8, [_label(8, True), _label(9, True), _label(10, True)])]


async def _vanish(served: Served, caller: Caller, stream_id: str = "lab") -> None:
    caller.call.cancel()
    await served.lost(stream_id)


@pytest.mark.parametrize("provisional", [False, True])
def test_a_lost_client_resumes_and_misses_nothing(tiny_model: Path, tmp_path: Path, provisional: bool) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 8)
            caller = await served.opened(provisional=provisional)
            await caller.send(recording, 0, 500)
            await caller.events_until(lambda events: len(final(events)) > 3)
            handled, events = caller.numbers, caller.events
            await _vanish(served, caller)
            await served.computed(500)
            again = await served.opened(
                resume_token=caller.opened.resume_token, last_event=handled[-1], provisional=provisional
            )
            assert (again.opened.resumed, again.opened.next_seq, again.opened.epoch) == (True, 501, 2)
            assert again.opened.session == caller.opened.session
            await again.send(recording, 500)
            events += await again.finish()
            assert final(events) == final(alone(served, recording, SessionOptions(provisional=provisional)))
            numbers = handled + again.numbers
            assert numbers == sorted(set(numbers)), "an event came twice"

    asyncio.run(run())


def test_acknowledged_events_are_not_sent_again(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 4))
            await caller.events_until(lambda events: len(events) > 2)
            stream = served.stream("lab")
            await caller.write(ack=pb.Ack(last_event=2))
            await until(lambda: stream.backlog.runs_after(0)[0][0] == 3)
            await _vanish(served, caller)
            again = await served.opened(resume_token=caller.opened.resume_token)
            await again.finish()
            assert again.numbers[0] == 3
            assert again.events[: len(caller.events) - 2] == caller.events[2:]

    asyncio.run(run())


def test_a_client_that_is_lost_after_close_gets_the_rest(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 4)
            registry = served.server.registry
            open_request = pb.Open(stream_id="lab", skeleton=skeleton_to_message(served.skeleton))
            stream, writer, opened = await registry.open(open_request)
            for block in blocks_of(recording, 60):
                stream.receive_frames(block)
            stream.finish()
            await until(lambda: writer.ended)
            await registry.leave(stream, writer, done=False)
            caller = await served.opened(resume_token=opened.resume_token)
            assert (caller.opened.resumed, caller.opened.next_seq) == (True, len(recording.frames) + 1)
            assert await caller.rest() == alone(served, recording, QUIET)
            assert registry.find("lab") is None

    asyncio.run(run())


def test_a_live_stream_belongs_to_the_one_who_has_its_token(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 4)
            caller = await served.opened()
            await caller.send(recording, 0, 200)
            for token in ("", "wrong", "ü"):
                with pytest.raises(grpc.aio.AioRpcError, match="expected a stream id that is free") as caught:
                    await served.opened(resume_token=token)
                assert caught.value.code() == Code.ALREADY_EXISTS
            await until(lambda: served.server.registry.live("lab").received_seq == 200)
            newer = await served.opened(resume_token=caller.opened.resume_token)
            code, message = await caller.failure()
            assert code == Code.ABORTED
            assert "resumed on another connection" in message
            assert (newer.opened.resumed, newer.opened.epoch, newer.opened.next_seq) == (True, 2, 201)
            await newer.send(recording, 200)
            assert await newer.finish() == alone(served, recording, QUIET)

    asyncio.run(run())


def test_open_without_the_token_starts_afresh_where_nobody_is_live(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            await caller.send(motion(served.skeleton, 2), 0, 200)
            await served.computed(200)
            await _vanish(served, caller)
            other = await served.opened()
            assert (other.opened.resumed, other.opened.next_seq, other.opened.epoch) == (False, 1, 1)
            assert other.opened.session != caller.opened.session
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await served.opened(resume_token=caller.opened.resume_token)
            assert caught.value.code() == Code.ALREADY_EXISTS

    asyncio.run(run())


def test_a_stream_that_nobody_resumes_is_given_up(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"resume_within_s": 1000}) as served:
            registry = served.server.registry
            registry.now = lambda: 0.0
            caller = await served.opened()
            await _vanish(served, caller)
            registry.now = lambda: 999.0
            await registry.reap()
            assert registry.find("lab") is not None
            registry.now = lambda: 1000.0
            await registry.reap()
            await until(lambda: registry.find("lab") is None)
            again = await served.opened(resume_token=caller.opened.resume_token)
            assert not again.opened.resumed

    asyncio.run(run())


def test_a_silent_client_is_sent_away_and_may_come_back(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"idle_timeout_s": 500}) as served:
            registry = served.server.registry
            registry.now = lambda: 0.0
            caller = await served.opened()
            registry.now = lambda: 499.0
            await registry.reap()
            await caller.write(ack=pb.Ack(last_event=0))
            await until(lambda: registry.live("lab").last_message_at == 499)
            registry.now = lambda: 998.0
            await registry.reap()
            owner = registry.live("lab").owner
            assert owner is not None
            assert not owner.ended
            registry.now = lambda: 999.0
            await registry.reap()
            code, message = await caller.failure()
            assert (code, message) == (Code.UNAVAILABLE, "expected a message within 500 s, got none")
            assert caller.away is not None
            again = await served.opened(resume_token=caller.away.resume_token)
            assert again.opened.resumed

    asyncio.run(run())


def test_draining_sends_everybody_away_with_their_tokens(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            callers = [await served.opened(name) for name in ("a", "b")]
            watch = served.segmentation.Watch(pb.WatchRequest(stream_id="a"))
            await watch.initial_metadata()
            health = health_pb2_grpc.HealthStub(served.channel).Watch(health_pb2.HealthCheckRequest())
            assert (await health.read()).status == health_pb2.HealthCheckResponse.SERVING
            stopping = asyncio.create_task(served.stop())
            for caller in callers:
                code, message = await caller.failure()
                assert (code, message) == (Code.UNAVAILABLE, "the server is about to stop")
                assert caller.away is not None
                assert caller.away.resume_token == caller.opened.resume_token
                assert caller.away.retry_after_ms > 0
            assert (await Caller(watch, served.skeleton).failure())[0] == Code.UNAVAILABLE
            assert (await health.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
            health.cancel()
            await stopping

    asyncio.run(run())


def test_no_stream_opens_while_the_server_drains(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            await served.server.registry.drain()
            with pytest.raises(grpc.aio.AioRpcError, match="about to stop") as caught:
                await served.opened()
            assert caught.value.code() == Code.UNAVAILABLE

    asyncio.run(run())


@pytest.mark.parametrize("delivery", [pb.DELIVERY_LIVE, pb.DELIVERY_DURABLE], ids=["live", "durable"])
def test_a_stream_that_is_opened_anew_gives_no_id_that_somebody_has_seen(
    tiny_model: Path, tmp_path: Path, delivery: pb.Delivery
) -> None:
    """Though frames of the one before were on their way."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 20)
            caller = await served.opened(delivery=delivery)
            watch = served.segmentation.Watch(pb.WatchRequest(stream_id="lab"))
            await watch.initial_metadata()
            watching = Caller(watch, served.skeleton)
            await caller.send(recording)
            caller.call.cancel()
            await served.lost("lab")
            again = await served.opened(delivery=delivery)
            await watching.rest()
            seen = {event.cluster for event in watching.events if isinstance(event, ClusterCreated)}
            await again.send(motion(served.skeleton, 20, seed=5))
            given = {event.cluster for event in await again.finish() if isinstance(event, ClusterCreated)}
            assert given
            assert not given & seen

    asyncio.run(run())
