"""Explanations on a real server: they come of a worker of its own while streams go on."""

import asyncio
from pathlib import Path

import grpc
import pytest
from tests.support.caller import Caller
from tests.support.serving import Served, motion, process_of, serving
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import ExplanationsStub
from motionscribe_server.workers.explainer import MOST_WAITING

Code = grpc.StatusCode
SECONDS = 9.0


async def explain(served: Served, segment: int = 0) -> pb.Explanation:
    request = pb.ExplainRequest(stream_id="lab", segment=segment)
    found: pb.Explanation = await ExplanationsStub(served.channel).Explain(request)
    return found


async def live(served: Served) -> Caller:
    """A live stream "lab" that has labels."""
    caller = await served.opened()
    recording = motion(served.skeleton, SECONDS)
    await caller.send(recording)
    await served.computed(len(recording.frames))
    return caller


def refused(error: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> tuple[grpc.StatusCode, str]:
    return error.value.code(), error.value.details() or ""


def test_a_label_is_explained_while_its_stream_goes_on(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await live(served)
            explanation = await explain(served)
            assert explanation.segment >= 1
            assert explanation.cluster >= 1
            names = {served.skeleton.joints[joint] for joint in served.model.manifest.feature_joints}
            assert names <= {one.joint for one in explanation.joints} <= set(served.skeleton.joints)
            weights = [one.weight for one in explanation.joints]
            assert weights == sorted(weights, reverse=True)
            assert explanation.parts[0].start_us == explanation.start_us
            same = await explain(served, segment=explanation.segment)
            assert same == explanation
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await explain(served, segment=999)
            code, text = refused(error)
            assert code is Code.NOT_FOUND
            assert "got 999" in text
            await caller.finish()

    asyncio.run(run())


def test_an_explainer_that_died_is_replaced_and_one_that_nobody_asks_ends(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            explainer = served.server.pool.explainer
            await live(served)
            before = await explain(served)
            worker = explainer.worker
            assert worker is not None
            process_of(worker).kill()
            await until(lambda: not worker.transport.alive)
            assert await explain(served) == before
            assert explainer.worker not in (None, worker)
            explainer.idle_s = 0.05
            assert await explain(served) == before
            last = explainer.worker
            assert last is not None
            await until(lambda: not last.transport.alive)
            assert await explain(served) == before

    asyncio.run(run())


def test_who_asks_without_end_is_told_so(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            await live(served)
            asked = [explain(served) for _ in range(MOST_WAITING + 3)]
            answers = await asyncio.gather(*asked, return_exceptions=True)
            refusals = [answer for answer in answers if isinstance(answer, grpc.aio.AioRpcError)]
            assert [refusal.code() for refusal in refusals] == [Code.RESOURCE_EXHAUSTED] * 3
            assert sum(isinstance(answer, pb.Explanation) for answer in answers) == MOST_WAITING

    asyncio.run(run())


def test_calls_that_are_cancelled_hold_their_places_and_do_no_harm(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await live(served)
            for _ in range(3):
                calls = [asyncio.create_task(explain(served)) for _ in range(2 * MOST_WAITING)]
                await asyncio.sleep(0.1)
                for call in calls:
                    call.cancel()
                await asyncio.gather(*calls, return_exceptions=True)

            async def answer() -> pb.Explanation:
                while True:
                    try:
                        return await explain(served)
                    except grpc.aio.AioRpcError as error:
                        if error.code() is not Code.RESOURCE_EXHAUSTED:
                            raise
                        await asyncio.sleep(0.1)

            assert (await answer()).joints
            assert len(served.server.pool.workers) == 1
            assert await caller.finish()

    asyncio.run(run())


def test_a_stream_that_is_over_has_nothing_to_explain(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await live(served)
            await caller.finish()
            await until(lambda: served.server.registry.find("lab") is None)
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await explain(served)
            expected = "expected a stream that is live or can be resumed, got 'lab'"
            assert refused(error) == (Code.NOT_FOUND, expected)

    asyncio.run(run())
