"""Open on a real server: what it may leave out, what is refused and why, and that a refusal costs nobody anything."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.serving import Served, Shared, serving
from tests.support.waiting import until

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message

Code = grpc.StatusCode


def columns(served: Served, count: int | None = None, last: str | None = None) -> pb.FeatureNames:
    names = list(served.skeleton.columns)[:count]
    return pb.FeatureNames(names=[*names[:-1], last or names[-1]])


def skeleton(served: Served, **changes: Any) -> pb.Skeleton:
    message = skeleton_to_message(replace(served.skeleton, offsets=(), axes=()))
    message.MergeFrom(pb.Skeleton(**changes))
    return message


BAD_OPENS: dict[str, tuple[dict[str, Any], grpc.StatusCode, str]] = {
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
        {"features": lambda s: columns(s, 3)},
        Code.FAILED_PRECONDITION,
        r"/1: expected \d+ columns, got 3",
    ),
    "another column": (
        {"features": lambda s: columns(s, last="spindle")},
        Code.FAILED_PRECONDITION,
        r"expected '.*' at position \d+ of the columns, got 'spindle'",
    ),
    "another joint": (
        {"skeleton": lambda s: skeleton(s, joints=["tail"], parents=[0])},
        Code.FAILED_PRECONDITION,
        r"expected \d+ joints, got \d+",
    ),
    "another representation": (
        {"skeleton": lambda s: skeleton(s, representation="positions")},
        Code.FAILED_PRECONDITION,
        "expected representation '.*', got 'positions'",
    ),
    "a joint without parent": (
        {"skeleton": lambda s: skeleton(s, joints=["tail"])},
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
            return served.counted("motionscribe_errors_total", status=expected_code.name)

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
            caller = await served.opened(f"named-{number}", features=columns(served), **fields)
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
            await until(lambda: served.server.registry.find("a") is None)

    asyncio.run(run())


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
