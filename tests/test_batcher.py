"""Batching: the plan as a pure function, and the loop against a slow obvious twin."""

import asyncio
from collections import deque
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from motionscribe_server.batcher import Batcher, plan
from motionscribe_server.errors import EngineError
from motionscribe_server.inference import WindowStates
from motionscribe_server.metrics import Metrics
from motionscribe_server.window import Step, step_of

SIZES = (1, 4, 16, 64)


@given(st.integers(0, 300), st.lists(st.integers(1, 100), min_size=1, max_size=5).map(lambda sizes: sorted(set(sizes))))
def test_a_plan_holds_everybody_once_in_order_and_wastes_less_than_half(count: int, sizes: list[int]) -> None:
    batches = plan(range(count), sizes)
    assert [one for batch in batches for one in batch] == list(range(count))
    for batch in batches:
        assert 0 < len(batch) <= sizes[-1]
        padded = next(size for size in sizes if size >= len(batch))
        assert padded <= 2 * len(batch) or len(batch) < sizes[0]


@pytest.mark.parametrize(
    ("due", "batches"), [(1, [1]), (2, [2]), (5, [4, 1]), (8, [8]), (17, [16, 1]), (50, [50]), (130, [64, 64, 2])]
)
def test_the_plan_for_the_default_sizes(due: int, batches: list[int]) -> None:
    assert [len(batch) for batch in plan(range(due), SIZES)] == batches


class Engine:
    """Adds each step's feature to the state; remembers who was computed together."""

    def __init__(self, fails_at: float = np.inf) -> None:
        self.batches: list[list[float]] = []
        self.fails_at = fails_at

    def advance(
        self, states: Sequence[NDArray[np.float32]], runs: Sequence[Sequence[Step]]
    ) -> list[WindowStates | None]:
        self.batches.append([float(step.features[0]) for run in runs for step in run])
        if self.fails_at in self.batches[-1]:
            raise RuntimeError("out of memory")
        answers: list[WindowStates | None] = []
        for state, run in zip(states, runs, strict=True):
            state += np.sum([step.features for step in run], axis=0)
            window = WindowStates(state.copy(), state.copy(), state.copy())
            answers.append(window if run[-1].decode_slot >= 0 else None)
        return answers


class Stream:
    """A client of the batcher that waits for `want` answers; every `stride` steps complete a window."""

    def __init__(self, values: Sequence[float], stride: int = 1) -> None:
        self.state = np.zeros(1, np.float32)
        self.steps = deque(step_of(np.array([v], np.float32), i, 4 * stride, stride) for i, v in enumerate(values))
        self.want = len(values)
        self.got: list[tuple[int, float | None]] = []
        self.done = asyncio.Event()
        self.error: EngineError | None = None

    @property
    def waiting(self) -> bool:
        return bool(self.steps)

    def fail(self, error: EngineError) -> None:
        self.error = error
        self.steps.clear()
        self.done.set()


def hand_back(
    streams: Sequence[Stream], runs: Sequence[Sequence[Step]], answers: Sequence[WindowStates | None]
) -> None:
    for stream, run, states in zip(streams, runs, answers, strict=True):
        stream.got += [(step.index, None) for step in run[:-1]]
        stream.got.append((run[-1].index, None if states is None else float(states.projected[0])))
        if len(stream.got) == stream.want:
            stream.done.set()


def batcher_of_streams() -> Batcher[Stream]:
    """Their steps are there from the beginning."""
    return Batcher(Metrics(), lambda streams: None, hand_back)


async def _compute(clients: Sequence[tuple[Engine, Stream]], sizes: Sequence[int] = SIZES) -> None:
    batcher = batcher_of_streams()
    for engine, _ in clients:
        batcher.add(engine, sizes)
    task = asyncio.create_task(batcher.run())
    for engine, stream in clients:
        batcher.submit(engine, stream)
        batcher.submit(engine, stream)
    await asyncio.wait_for(asyncio.gather(*(stream.done.wait() for _, stream in clients)), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    batcher.close()


@given(st.lists(st.lists(st.integers(0, 100), min_size=1, max_size=6), min_size=1, max_size=9), st.integers(1, 3))
def test_every_stream_gets_what_it_would_get_alone(values: list[list[int]], stride: int) -> None:
    async def run() -> None:
        engines = [Engine(), Engine()]
        streams = [Stream(steps, stride) for steps in values]
        await _compute([(engines[i % 2], stream) for i, stream in enumerate(streams)], (1, 2, 4))
        for stream, steps in zip(streams, values, strict=True):
            sums = np.cumsum(steps).tolist()
            assert stream.got == [(i, sums[i] if (i + 1) % stride == 0 else None) for i in range(len(steps))]

    asyncio.run(run())


def test_streams_take_turns_and_share_batches() -> None:
    async def run() -> None:
        engine = Engine()
        await _compute([(engine, Stream([1, 2, 3])), (engine, Stream([10])), (engine, Stream([100, 200]))])
        assert engine.batches == [[1, 10, 100], [2, 200], [3]]

    asyncio.run(run())


def test_a_turn_is_the_steps_up_to_the_next_window() -> None:
    async def run() -> None:
        engine = Engine()
        await _compute([(engine, Stream([1, 2, 3, 4], 3)), (engine, Stream([10, 20], 3))])
        assert engine.batches == [[1, 2, 3, 10, 20], [4]]

    asyncio.run(run())


def test_a_stream_with_many_steps_does_not_keep_a_new_one_waiting() -> None:
    async def run() -> None:
        engine = Engine()
        await _compute([(engine, Stream(range(50))), (engine, Stream([1000]))], (1,))
        assert engine.batches.index([1000]) == 1

    asyncio.run(run())


def test_a_failing_batch_ends_its_streams_and_no_others() -> None:
    async def run() -> None:
        engine, other = Engine(fails_at=2), Engine()
        broken, well = Stream([1, 2, 3]), Stream([5, 6])
        await _compute([(engine, broken), (other, well)])
        assert "inference failed" in str(broken.error)
        assert broken.got == [(0, 1.0)]
        assert well.got == [(0, 5.0), (1, 11.0)]
        assert well.error is None

    asyncio.run(run())


def test_a_stream_that_ends_in_the_queue_is_passed_over() -> None:
    async def run() -> None:
        engine = Engine()
        gone, there = Stream([1]), Stream([2])
        batcher = batcher_of_streams()
        batcher.add(engine, SIZES)
        batcher.submit(engine, gone)
        batcher.submit(engine, there)
        gone.steps.clear()
        task = asyncio.create_task(batcher.run())
        await asyncio.wait_for(there.done.wait(), 10)
        gone.steps.append(step_of(np.ones(1, np.float32), 0, 8, 4))
        batcher.submit(engine, gone)
        await asyncio.wait_for(gone.done.wait(), 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        batcher.close()
        assert engine.batches == [[2], [1]]

    asyncio.run(run())
