"""Verdicts on anomalies on a real server: a fall that was said to be normal is no alarm any more."""

import asyncio
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.caller import Caller
from tests.support.serving import Served, final, process_of, serving

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.events import Anomaly, Event
from motionscribe_proto.segmentation_pb2_grpc import AnomaliesStub, ClustersStub
from motionscribe_server.session.anomaly_book import MOST_MARKED, AnomalyBook, PackedBook
from motionscribe_training.faults.inject import inject
from motionscribe_training.faults.kind import Kind

BODY = Path(__file__).parents[3] / "models" / "body" / "1"
MOTION = "motion fault"
HALFWAY = 1800
"""Frames: the performer lies at last, and the alarm is on."""
NORMAL, FAULT, NONE = pb.VERDICT_NORMAL, pb.VERDICT_FAULT, pb.VERDICT_NONE
Code = grpc.StatusCode


@cache
def fall(kind: str = "fall_sideways", seed: int = 0) -> Recording:
    """Somebody who stands, walks and falls."""
    return perform([("idle", 4.0), ("walk", 8.0), (kind, 4.0)], seed).recording


def swapped() -> Recording:
    """Both arms or legs are taken for each other while somebody walks."""
    return inject(mapped(fall()), Kind.SWAP, 720, 1100, np.random.default_rng(0)).recording


async def send(served: Served, recording: Recording, stream_id: str = "lab", **fields: Any) -> list[Anomaly]:
    """A whole session; the anomalies as they were told last."""
    caller = served.call()
    await caller.open(stream_id, skeleton=skeleton_to_message(recording.skeleton), **fields)
    await caller.send(recording)
    return ended(await caller.finish())


def ended(events: Sequence[Event]) -> list[Anomaly]:
    return [event for event in events if isinstance(event, Anomaly) and not event.ongoing]


def of_motion(anomalies: Sequence[Anomaly]) -> list[int]:
    return [event.anomaly for event in anomalies if event.kind == MOTION]


async def kept(served: Served, stream_id: str = "lab") -> dict[int, pb.KeptAnomaly]:
    answer = await AnomaliesStub(served.channel).ListAnomalies(pb.ListAnomaliesRequest(stream_id=stream_id))
    return {each.anomaly.anomaly: each for each in answer.anomalies}


async def mark(served: Served, anomaly: int, verdict: Any, stream_id: str = "lab") -> pb.KeptAnomaly:
    request = pb.MarkAnomalyRequest(stream_id=stream_id, anomaly=anomaly, verdict=verdict)
    found: pb.KeptAnomaly = await AnomaliesStub(served.channel).MarkAnomaly(request)
    return found


def test_a_fall_that_was_normal_is_no_alarm_until_that_is_taken_back(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served:
            first = await send(served, fall())
            (id,) = of_motion(first)
            listed = await kept(served)
            assert [*listed] == [event.anomaly for event in first]
            assert listed[id].verdict == NONE
            assert listed[id].anomaly.detector == "imbalance"
            assert not listed[id].anomaly.joints  # it is of the whole body
            assert listed[id].fired["imbalance"] > listed[id].fired["lasting misfit"] > 3
            marked = await mark(served, id, NORMAL)
            assert (marked.anomaly.anomaly, marked.verdict) == (id, NORMAL)
            assert of_motion(await send(served, fall())) == []
        async with serving(BODY, tmp_path) as served:  # it outlives the server
            assert (await kept(served))[id].verdict == NORMAL
            second = await send(served, fall())
            assert of_motion(second) == []
            assert of_motion(await send(served, fall(), "gym")), "of another stream nothing was said"
            assert of_motion(await send(served, swapped())), "another fault is told"
            await mark(served, id, NONE)
            third = await send(served, fall())
            assert of_motion(third)
            assert min(of_motion(third)) > max([*listed, *(event.anomaly for event in second)]), "an id is one anomaly"
            await mark(served, id, FAULT)
            assert (await kept(served))[id].verdict == FAULT
            assert of_motion(await send(served, fall()))

    asyncio.run(run())


async def falling(served: Served, **fields: Any) -> tuple[Caller, int]:
    """A call of stream "lab" whose body is falling: a motion fault has begun. Returns its id, too."""
    recording, caller = fall(), served.call()
    await caller.open(skeleton=skeleton_to_message(recording.skeleton), **fields)
    await caller.send(recording, 0, HALFWAY)
    await served.computed(HALFWAY)
    events = await caller.events_until(lambda events: any(is_of_motion(event) for event in events))
    return caller, next(event.anomaly for event in events if isinstance(event, Anomaly) and event.kind == MOTION)


def is_of_motion(event: Event) -> bool:
    return isinstance(event, Anomaly) and event.kind == MOTION


def test_an_open_anomaly_that_is_normal_ends_at_once_and_a_fault_goes_on(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served:
            caller, id = await falling(served)
            assert (await kept(served))[id].anomaly.ongoing
            marked = await mark(served, id, FAULT)
            assert marked.anomaly.ongoing
            marked = await mark(served, id, NORMAL)
            assert (marked.anomaly.ongoing, marked.anomaly.phase, marked.verdict) == (False, "ended", NORMAL)
            events = await caller.events_until(lambda events: bool(ended(events)))
            assert of_motion(ended(events)) == [id]
            await caller.finish()
            assert (await kept(served))[id].verdict == NORMAL

    asyncio.run(run())


def test_a_verdict_between_two_checkpoints_is_repeated_at_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("motionscribe_server.streams.durability.CHECKPOINT_S", 1e3)  # none is due but the test's own

    async def run(crashes: bool, folder: Path) -> list[Event]:
        recording = fall()
        async with serving(BODY, folder, server={"workers": 2}, limits={"credits": 100_000}) as served:
            fields: dict[str, Any] = {
                "skeleton": skeleton_to_message(recording.skeleton),
                "delivery": pb.DELIVERY_DURABLE,
            }
            caller, id = await falling(served, delivery=pb.DELIVERY_DURABLE)
            await mark(served, id, NORMAL)
            await caller.send(recording, HALFWAY, HALFWAY + 60)
            await served.computed(HALFWAY + 60)
            if crashes:
                assert served.stream("lab").durable_seq < HALFWAY
                process_of(served.stream("lab").link.worker).kill()
                await caller.failure()
                again = served.call()
                last = caller.numbers[-1]
                await again.open(resume_token=caller.opened.resume_token, last_event=last, **fields)
                assert again.opened.resumed
                await again.send(recording, again.opened.next_seq - 1)
                events = [*caller.events, *await again.finish()]
                assert [*caller.numbers, *again.numbers] == sorted({*caller.numbers, *again.numbers})
            else:
                await caller.send(recording, HALFWAY + 60)
                events = await caller.finish()
            assert (await kept(served))[id].verdict == NORMAL
            assert of_motion(await send(served, recording)) == []
        return [event for event in final(events) if isinstance(event, Anomaly)]

    calm = asyncio.run(run(False, tmp_path / "calm"))
    assert of_motion(ended(calm))
    assert asyncio.run(run(True, tmp_path / "crashing")) == calm


def test_a_verdict_on_a_durable_stream_that_nobody_has_open_is_made_when_it_goes_on(tmp_path: Path) -> None:
    async def run() -> None:
        recording = fall()
        async with serving(BODY, tmp_path) as first:
            caller, id = await falling(first, delivery=pb.DELIVERY_DURABLE)
            stopping = asyncio.create_task(first.stop())
            await caller.failure()
            await stopping
        async with serving(BODY, tmp_path) as second:
            assert (await mark(second, id, NORMAL)).anomaly.ongoing, "it may go on"
            again = second.call()
            fields: dict[str, Any] = {
                "skeleton": skeleton_to_message(recording.skeleton),
                "delivery": pb.DELIVERY_DURABLE,
            }
            last = caller.numbers[-1]
            await again.open(resume_token=caller.opened.resume_token, last_event=last, **fields)
            assert (await kept(second))[id].verdict == NORMAL
            await again.send(recording, again.opened.next_seq - 1)
            assert id in of_motion(ended(await again.finish()))
            found = (await kept(second))[id]
            assert (found.anomaly.ongoing, found.verdict) == (False, NORMAL)

    asyncio.run(run())


def test_a_stream_that_is_deleted_takes_its_anomalies_along(tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(BODY, tmp_path) as served:
            (id,) = of_motion(await send(served, fall()))
            await mark(served, id, NORMAL)
            await ClustersStub(served.channel).ForgetStream(pb.ForgetStreamRequest(stream_id="lab"))
            with pytest.raises(grpc.aio.AioRpcError, match="expected a stream that is live or was") as caught:
                await kept(served)
            assert caught.value.code() == Code.NOT_FOUND
            assert of_motion(await send(served, fall())) == [id], "it begins anew"

    asyncio.run(run())


BAD: dict[str, tuple[dict[str, Any], grpc.StatusCode, str]] = {
    "no anomaly": (
        {"anomaly": 7, "verdict": NORMAL},
        Code.NOT_FOUND,
        "the newest are 66, .*73, got 7",
    ),
    "no stream": ({"stream_id": "gym", "verdict": NORMAL}, Code.NOT_FOUND, "live or was, got 'gym'"),
    "no verdict": ({"anomaly": 73}, Code.INVALID_ARGUMENT, "expected a verdict, none or normal or fault, got 0"),
    "another one": ({"anomaly": 73, "verdict": 9}, Code.INVALID_ARGUMENT, "got 9"),
    "too many": ({"anomaly": 73, "verdict": FAULT}, Code.RESOURCE_EXHAUSTED, "at most 64 marked anomalies.*'motionscr"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_requests_change_nothing_and_say_why(tiny_model: Path, tmp_path: Path, what: str) -> None:
    fields, code, message = BAD[what]

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            await served.server.store.run(lambda store: store.save(served.model.key, "lab", 1, [], book=full_book()))
            before = await kept(served)
            assert len(before) == MOST_MARKED + 1
            request = pb.MarkAnomalyRequest(**({"stream_id": "lab"} | fields))
            with pytest.raises(grpc.aio.AioRpcError, match=message) as caught:
                await AnomaliesStub(served.channel).MarkAnomaly(request)
            assert caught.value.code() == code
            assert await kept(served) == before
            await mark(served, 9, NONE)
            assert (await mark(served, 73, FAULT)).verdict == FAULT

    asyncio.run(run())


def full_book() -> PackedBook:
    """As many marks as there may be, and an anomaly without one; the first eight ids are nobody's any more."""
    book = AnomalyBook(PackedBook(next_id=9))
    for _ in range(MOST_MARKED + 1):
        id = book.begin()
        book.put(Anomaly(id, False, 1, 2, 3, 4, MOTION, "misfit", "ended", 0.1, (), (), 0), ())
        if id < MOST_MARKED + 9:
            book.mark(id, "fault")
    return book.packed()
