"""Segmentation.Stream and Watch on a real server: the way it should go, and bad input on every door."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from tests.support.serving import PATIENCE_S, Caller, Served, Shared, alone, final, motion, process_of, serving, until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import frames_to_message, skeleton_to_message
from motionscribe_proto.events import ClusterCreated, Gap, Label
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.errors import ExhaustedError, StoreError
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.storage.sqlite_store import SqliteStore

Code = grpc.StatusCode


@pytest.mark.parametrize(
    ("block", "lag", "provisional"), [(1, "fast", True), (7, "balanced", False), (600, "stable", True)]
)
def test_a_served_recording_gives_the_events_of_a_replay(
    tiny_model: Path, tmp_path: Path, block: int, lag: Any, provisional: bool
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 8)
            caller = await served.opened(lag=pb.Lag.Value(f"LAG_{lag.upper()}"), provisional=provisional)
            assert caller.opened.next_seq == 1
            assert caller.opened.latency_us == caller.opened.model.latency_us[lag]
            await caller.send(recording, block=block)
            events = await caller.finish()
            expected = alone(served, recording, SessionOptions(lag=lag, provisional=provisional))
            assert events == expected
            assert any(isinstance(event, ClusterCreated) for event in events), "motion too dull to test anything"
            assert caller.numbers == list(range(1, len(events) + 1))
            last = caller.updates[-1]
            assert (last.received_seq, last.durable_seq) == (len(recording.frames), len(recording.frames))
            assert served.server.registry.find("lab") is None, "a stream that ended well is over"
            value, model = served.server.metrics.registry.get_sample_value, {"model": served.model.key}
            assert value("motionscribe_frames_total", model) == len(recording.frames)
            assert value("motionscribe_events_total", {"kind": "Label"}) == sum(isinstance(e, Label) for e in events)
            moments = len(recording.frames) / served.skeleton.rate_hz / served.model.served.moment_s
            assert value("motionscribe_windows_total", model) == pytest.approx(moments, abs=1)
            assert value("motionscribe_streams") == 0

    asyncio.run(run())


def test_half_closing_the_call_is_as_good_as_close(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 3)
        caller = await served.opened("half-closed")
        await caller.send(recording)
        await caller.call.done_writing()
        assert await caller.rest() == alone(served, recording, SessionOptions(provisional=False))

    shared_server.run(run)


def test_concurrent_streams_get_the_final_labels_that_each_gets_alone(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recordings = [motion(served.skeleton, 5 + seed / 2, seed) for seed in range(5)]

            async def one(seed: int) -> list[Any]:
                caller = await served.opened(f"stream-{seed}", provisional=True)
                await caller.send(recordings[seed], block=5 + seed)
                return await caller.finish()

            together = await asyncio.gather(*map(one, range(5)))
            assert served.server.metrics.registry.get_sample_value(
                "motionscribe_batch_streams_bucket", {"le": "1.0"}
            ) < (served.server.metrics.registry.get_sample_value("motionscribe_batch_streams_count")), (
                "nothing was computed together"
            )
            for seed, events in enumerate(together):
                assert final(events) == final(alone(served, recordings[seed], SessionOptions()))

    asyncio.run(run())


def test_missing_frames_are_a_gap_and_no_error(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 4)
        caller = await served.opened("gap")
        await caller.send(recording, 0, 200)
        await caller.send(recording, 320, 400)
        (gap,) = [event for event in await caller.finish() if isinstance(event, Gap)]
        assert (gap.start_seq, gap.end_seq) == (201, 321)

    shared_server.run(run)


def _block(served: Served, first_seq: int, frames: int = 3, **changes: Any) -> pb.Frames:
    """Frames that follow 90 good ones, but for `changes`."""
    times = np.round((first_seq - 1 + np.arange(frames)) * 1e6 / served.skeleton.rate_hz).astype(np.int64)
    block = FrameBlock(first_seq, np.zeros((frames, served.skeleton.width), np.float32), times)
    return frames_to_message(replace(block, **changes))


def _not_finite(served: Served, value: float) -> pb.Frames:
    values = np.zeros((3, served.skeleton.width), np.float32)
    values[1, 2] = value
    return _block(served, 91, values=values)


def _beyond(served: Served) -> pb.Frames:
    message = _block(served, 91)
    message.first_seq = 2**63 - 1
    return message


BAD_FRAMES = {
    "NaN": (lambda s: _not_finite(s, np.nan), "expected finite values.*, got nan.*frame 92"),
    "infinity": (lambda s: _not_finite(s, np.inf), "expected finite values.*, got inf.*frame 92"),
    "width": (
        lambda s: _block(s, 91, values=np.zeros((3, s.skeleton.width + 1), np.float32)),
        r"expected frames of \d+ float32 values.*got \d+ bytes",
    ),
    "times running backwards": (
        lambda s: _block(s, 91, timestamps_us=np.array([800_000, 790_000, 810_000])),
        "expected times that increase, got 790000 us after 800000 us at frame 92",
    ),
    "times that came before": (
        lambda s: _block(s, 91, timestamps_us=np.array([100, 200, 300])),
        r"expected times that increase, got 100 us after \d+ us at frame 91",
    ),
    "seq running backwards": (lambda s: _block(s, 90), "expected seq 91 or later, got 90"),
    "seq 0": (lambda _: pb.Frames(first_seq=0, values=bytes(4)), "expected"),
    "seq beyond all bounds": (lambda s: _beyond(s), "expected seq and times within .*got seq 9223372036854775807"),
    "times beyond all bounds": (
        lambda s: _block(s, 91, timestamps_us=2**63 - 3 + np.arange(3)),
        "expected seq and times within .* 9223372036854775807 us",
    ),
    "no frames": (lambda _: pb.Frames(first_seq=91), "expected one frame or more, got none"),
    "times of other frames": (
        lambda s: pb.Frames(first_seq=91, values=bytes(4 * s.skeleton.width), timestamps_us=[1, 2]),
        "expected 1 times for 1 frames, got 2",
    ),
    "confidences": (
        lambda s: pb.Frames(first_seq=91, values=bytes(4 * s.skeleton.width), confidences=b"1"),
        "confidences.*got 1 bytes",
    ),
    "a step that is no number": (
        lambda s: pb.Frames(first_seq=91, values=bytes(8 * s.skeleton.width), step_us=np.nan),
        "expected start_us and step_us within int64",
    ),
}


@pytest.mark.parametrize("what", BAD_FRAMES)
def test_bad_frames_end_the_call_and_what_was_learnt_survives(shared_server: Shared, what: str) -> None:
    make, expected = BAD_FRAMES[what]
    id = what.replace(" ", "-")

    async def run(served: Served) -> None:
        recording = motion(served.skeleton, 4)
        caller = await served.opened(id)
        await caller.send(recording, 0, 90)
        await caller.write(frames=make(served))
        code, message = await caller.failure()
        assert code == Code.INVALID_ARGUMENT
        assert pytest.raises(AssertionError, match=expected).matches(AssertionError(message)), message
        last = max(caller.numbers, default=0)
        again = await served.opened(id, resume_token=caller.opened.resume_token, last_event=last)
        assert (again.opened.resumed, again.opened.next_seq, again.opened.epoch) == (True, 91, 2)
        await again.send(recording, 90)
        await again.finish()
        assert caller.events + again.events == alone(served, recording, SessionOptions(provisional=False))

    shared_server.run(run)


@pytest.mark.parametrize(
    ("message", "code", "expected"),
    [
        ({"open": pb.Open(stream_id="lab")}, Code.FAILED_PRECONDITION, "got a second Open"),
        ({}, Code.INVALID_ARGUMENT, "expected Frames, Ack or Close, got an empty message"),
    ],
)
def test_messages_out_of_order_end_the_call(
    shared_server: Shared, message: dict[str, Any], code: grpc.StatusCode, expected: str
) -> None:
    async def run(served: Served) -> None:
        caller = await served.opened(code.name)
        await caller.write(**message)
        got, text = await caller.failure()
        assert got == code
        assert expected in text
        assert served.server.registry.find(code.name) is not None

    shared_server.run(run)


def test_a_message_that_is_too_large_is_refused_and_what_was_learnt_survives(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"max_message_bytes": 60_000}) as served:
            recording = motion(served.skeleton, 3)
            caller = await served.opened()
            await caller.send(recording, 0, 60)
            await caller.write(frames=pb.Frames(first_seq=61, values=bytes(100_000)))
            code, message = await caller.failure()
            assert code == Code.RESOURCE_EXHAUSTED
            assert "larger than max" in message
            await served.lost("lab")
            again = await served.opened(resume_token=caller.opened.resume_token)
            assert (again.opened.resumed, again.opened.next_seq) == (True, 61)
            await again.send(recording, 60)
            assert await again.finish() == alone(served, recording, SessionOptions(provisional=False))

    asyncio.run(run())


def test_more_frames_than_credits_are_refused(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            caller = await served.opened()
            assert caller.opened.credits == 40
            await caller.write(frames=_block(served, 1, 41))
            code, message = await caller.failure()
            assert code == Code.RESOURCE_EXHAUSTED
            assert message == "expected at most 40 frames, the credits left, got 41"

    asyncio.run(run())


def test_credits_are_used_up_and_a_refused_block_costs_none(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            message = pb.Open(stream_id="lab", skeleton=skeleton_to_message(served.skeleton))
            stream, _, _ = await served.server.registry.open(message)
            first, second, *_ = blocks_of(motion(served.skeleton, 1), 30)
            stream.receive_frames(first)
            for _ in range(2):
                with pytest.raises(ExhaustedError, match="expected at most 10 frames, the credits left, got 30"):
                    stream.receive_frames(second)
            stream.receive_frames(replace(second, values=second.values[:10], timestamps_us=second.timestamps_us[:10]))
            assert stream.received_seq == 40

    asyncio.run(run())


def test_credits_come_back_as_frames_are_computed(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 40}) as served:
            recording = motion(served.skeleton, 4)
            caller = await served.opened()
            await caller.send(recording, block=10)  # waits for credits
            events = await caller.finish()
            assert events == alone(served, recording, SessionOptions(provisional=False))
            assert caller.credits == 40 + len(recording.frames)

    asyncio.run(run())


def _columns(served: Served, count: int | None = None, last: str | None = None) -> pb.FeatureNames:
    names = list(served.skeleton.columns)[:count]
    return pb.FeatureNames(names=[*names[:-1], last or names[-1]])


def _skeleton(served: Served, **changes: Any) -> pb.Skeleton:
    message = skeleton_to_message(served.skeleton)
    message.MergeFrom(pb.Skeleton(**changes))
    return message


BAD_OPENS = {
    "an unknown model": ({"model": "none"}, Code.NOT_FOUND, "expected one of the models .*, got 'none'"),
    "an unknown version": ({"version": "7"}, Code.NOT_FOUND, "expected a version of .* among 1, got '7'"),
    "an id with a slash": ({"stream_id": "a/b"}, Code.INVALID_ARGUMENT, "expected a stream id.*got 'a/b'"),
    "an empty id": ({"stream_id": ""}, Code.INVALID_ARGUMENT, "expected a stream id.*got ''"),
    "a long id": ({"stream_id": "a" * 129}, Code.INVALID_ARGUMENT, "expected a stream id"),
    "an unknown delivery": ({"delivery": 7}, Code.INVALID_ARGUMENT, "expected live or durable delivery, got 7"),
    "no rate": ({"rate_hz": float("nan")}, Code.INVALID_ARGUMENT, "expected a rate.*got nan"),
    "a negative rate": ({"rate_hz": -1.0}, Code.INVALID_ARGUMENT, "expected a rate.*got -1"),
    "a rate too low": ({"rate_hz": 0.01}, Code.INVALID_ARGUMENT, "expected a rate of at least.*got 0.01"),
    "a lag of the future": ({"lag": 9}, Code.INVALID_ARGUMENT, "expected a lag.*got 9"),
    "too few columns": (
        {"features": lambda s: _columns(s, 3)},
        Code.FAILED_PRECONDITION,
        r"/1: expected \d+ columns, got 3",
    ),
    "another column": (
        {"features": lambda s: _columns(s, last="spindle")},
        Code.FAILED_PRECONDITION,
        r"expected '.*' at position \d+ of the columns, got 'spindle'",
    ),
    "another joint": (
        {"skeleton": lambda s: _skeleton(s, joints=["tail"], parents=[0])},
        Code.FAILED_PRECONDITION,
        r"expected \d+ joints, got \d+",
    ),
    "another representation": (
        {"skeleton": lambda s: _skeleton(s, representation="positions")},
        Code.FAILED_PRECONDITION,
        "expected representation '.*', got 'positions'",
    ),
    "a joint without parent": (
        {"skeleton": lambda s: _skeleton(s, joints=["tail"])},
        Code.INVALID_ARGUMENT,
        "expected one parent per joint",
    ),
    "no layout": ({"features": None}, Code.FAILED_PRECONDITION, "column names, got neither"),
}


@pytest.mark.parametrize("what", BAD_OPENS)
def test_an_open_that_cannot_be_served_is_refused(shared_server: Shared, what: str) -> None:
    fields, expected_code, expected = BAD_OPENS[what]

    async def run(served: Served) -> None:
        def errors() -> float:
            status = {"status": expected_code.name}
            return served.server.metrics.registry.get_sample_value("motionscribe_errors_total", status) or 0

        before = errors()
        values = {name: value(served) if callable(value) else value for name, value in fields.items()}
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.call().open(**{"stream_id": "refused", **values})
        assert caught.value.code() == expected_code
        assert pytest.raises(AssertionError, match=expected).matches(AssertionError(caught.value.details()))
        assert served.server.registry.find("refused") is None
        assert errors() == before + 1

    shared_server.run(run)


def test_the_model_may_be_named_or_not_and_columns_may_stand_for_a_skeleton(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        name = served.model.manifest.name
        for number, fields in enumerate(({}, {"model": name}, {"version": "1"}, {"model": name, "version": "latest"})):
            caller = await served.opened(f"named-{number}", features=_columns(served), **fields)
            assert (caller.opened.model.name, caller.opened.model.version) == (name, "1")

    shared_server.run(run)


@pytest.mark.parametrize("first", [{"frames": pb.Frames(first_seq=1)}, {"close": pb.Close()}, {}, None])
def test_the_first_message_must_be_open(shared_server: Shared, first: dict[str, Any] | None) -> None:
    async def run(served: Served) -> None:
        caller = served.call()
        if first is None:
            await caller.call.done_writing()
        else:
            await caller.write(**first)
        code, message = await caller.failure()
        assert code == Code.FAILED_PRECONDITION
        assert "expected Open as the first message" in message

    shared_server.run(run)


def test_no_more_streams_than_there_are_places_but_a_lost_one_makes_room(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"max_streams": 2}) as served:
            first, _second = await served.opened("a"), await served.opened("b")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await served.opened("c")
            assert caught.value.code() == Code.RESOURCE_EXHAUSTED
            first.call.cancel()
            await served.lost("a")
            await served.opened("c")
            assert served.server.registry.find("a") is None

    asyncio.run(run())


def test_a_watcher_sees_what_the_owner_sees_from_then_on(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 6)
            caller = await served.opened(provisional=True)
            await caller.send(recording, 0, 300)
            await until(lambda: served.server.registry.live("lab").computed_seq == 300)
            watch = served.segmentation.Watch(pb.WatchRequest(stream_id="lab", provisional=True))
            finals = served.segmentation.Watch(pb.WatchRequest(stream_id="lab"))
            await watch.initial_metadata()
            await finals.initial_metadata()
            await caller.send(recording, 300)
            await caller.finish()
            seen = await _watched(served, watch)
            after = [pair for pair in zip(caller.numbers, caller.events, strict=True) if pair[0] >= seen[0][0]]
            assert seen == after
            assert len(seen) > 10
            without = [(number, e) for number, e in after if not (isinstance(e, Label) and not e.final)]
            assert await _watched(served, finals) == without

    asyncio.run(run())


async def _watched(served: Served, call: Any) -> list[tuple[int, Any]]:
    """Numbers and events of a watch that ends well."""
    caller = Caller(call, served.skeleton)
    await caller.rest()
    return list(zip(caller.numbers, caller.events, strict=True))


def test_only_live_streams_can_be_watched(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            _owner = await served.opened("lab")
            with pytest.raises(grpc.aio.AioRpcError, match="expected a live stream, one of lab, got 'gym'") as caught:
                await served.segmentation.Watch(pb.WatchRequest(stream_id="gym")).read()
            assert caught.value.code() == Code.NOT_FOUND

    asyncio.run(run())


def test_a_worker_that_dies_ends_its_streams_and_no_others_and_another_one_starts(
    tiny_model: Path, tmp_path: Path
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"workers": 2}) as served:
            recording = motion(served.skeleton, 2)
            caller, other = await served.opened("lab"), await served.opened("gym")
            await caller.send(recording, 0, 60, block=60)
            await other.send(recording, 0, 60, block=60)
            await until(lambda: served.server.registry.live("lab").computed_seq == 60)
            process_of(served.server.registry.live("lab").link.worker).kill()
            code, message = await caller.failure()
            assert code == Code.UNAVAILABLE
            assert "the worker of this stream is gone" in message
            await other.send(recording, 60)
            expected = alone(served, recording, SessionOptions(provisional=False))
            assert await other.finish() == expected
            again = await served.opened("lab", resume_token=caller.opened.resume_token)
            assert not again.opened.resumed
            await again.send(recording)
            assert await again.finish() == expected
            await until(lambda: len(served.server.pool.workers) == 2)

    asyncio.run(run())


def test_no_stream_opens_while_there_is_no_worker(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened("lab")
            process_of(served.server.registry.live("lab").link.worker).kill()
            await caller.failure()
            refused = served.call()
            with pytest.raises(grpc.aio.AioRpcError, match="no worker is running") as caught:
                await refused.open("gym")
            assert caught.value.code() == Code.UNAVAILABLE
            await until(lambda: len(served.server.pool.workers) == 1)
            await served.opened("gym")

    asyncio.run(run())


def test_a_store_that_fails_ends_no_stream(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 6)
            caller = await served.opened()
            await caller.send(recording)
            assert await caller.finish() == alone(served, recording, SessionOptions(provisional=False))
            failures = served.server.metrics.registry.get_sample_value("motionscribe_store_failures_total")
            assert failures is not None
            assert failures > 0

    def save(*_: Any) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(SqliteStore, "save", save)
    asyncio.run(run())


def test_models_are_listed_and_described(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        (listed,) = (await served.models.ListModels(pb.ListModelsRequest())).models
        described = await served.models.DescribeModel(pb.DescribeModelRequest(name=listed.name, version="latest"))
        assert described == listed
        manifest = served.model.manifest
        assert (described.window, described.stride, described.hidden) == (
            manifest.window,
            manifest.stride,
            manifest.hidden,
        )
        assert tuple(described.columns) == served.skeleton.columns
        assert described.skeleton == skeleton_to_message(served.skeleton)
        assert described.provider == "CPUExecutionProvider"
        moment_us = 1e6 * manifest.stride / manifest.rate_hz
        assert described.latency_us["stable"] == round(manifest.latency["stable"] * moment_us)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await served.models.DescribeModel(pb.DescribeModelRequest(name="none"))
        assert caught.value.code() == Code.NOT_FOUND

    shared_server.run(run)


def test_health_and_reflection_answer(shared_server: Shared) -> None:
    async def run(served: Served) -> None:
        health = health_pb2_grpc.HealthStub(served.channel)
        for service in ("", "motionscribe.v1.Segmentation"):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=service))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        call = reflection_pb2_grpc.ServerReflectionStub(served.channel).ServerReflectionInfo()
        await call.write(reflection_pb2.ServerReflectionRequest(list_services=""))
        answer = await asyncio.wait_for(call.read(), PATIENCE_S)
        await call.done_writing()
        names = {service.name for service in answer.list_services_response.service}
        assert names >= {f"motionscribe.v1.{name}" for name in ("Segmentation", "Models", "Clusters")}

    shared_server.run(run)


def test_an_open_that_is_refused_costs_nobody_what_was_learnt(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            caller.call.cancel()
            await served.lost("lab")
            with pytest.raises(grpc.aio.AioRpcError, match="expected a rate of at least"):
                await served.opened(rate_hz=0.01)
            again = await served.opened(resume_token=caller.opened.resume_token)
            assert again.opened.resumed

    asyncio.run(run())
