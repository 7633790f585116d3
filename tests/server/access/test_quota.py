"""Quotas: a tenant that sends too fast is slowed down and loses nothing; others never notice."""

import asyncio
import time
from pathlib import Path

import grpc
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.serving import alone, final, motion, serving

from motionscribe_server.access.quota import BURST_S, Quota
from motionscribe_server.session.options import SessionOptions

Code = grpc.StatusCode


class Clock:
    """Time that only passes when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@given(
    rate=st.floats(1, 1e6),
    blocks=st.lists(st.tuples(st.integers(1, 500), st.floats(0, 5)), min_size=1, max_size=40),
)
def test_whoever_obeys_never_sends_more_than_the_rate(rate: float, blocks: list[tuple[int, float]]) -> None:
    """From any block on: what came before the last one fits the time since, and the burst."""
    clock = Clock()
    quota = Quota(rate, 0, clock)
    sent: list[tuple[float, int]] = []
    for frames, pause in blocks:
        sent.append((clock.now, frames))
        wait = quota.spend("lab", frames, 10**9)
        assert wait <= frames / rate * (1 + 1e-9)
        clock.now += max(wait, 0.0) + pause
    for first, (since, _) in enumerate(sent):
        for last in range(first + 1, len(sent)):
            until, _ = sent[last]
            assert sum(frames for _, frames in sent[first:last]) <= rate * (until - since + BURST_S) * (1 + 1e-9) + 1e-6


@given(rate=st.integers(10, 1000), block=st.floats(0.01, 0.5), seconds=st.integers(2, 20))
def test_a_live_feed_within_its_rate_never_waits(rate: int, block: float, seconds: int) -> None:
    clock = Clock()
    quota = Quota(rate, 8.0 * rate, clock)
    frames = max(1, int(rate * block))
    for _ in range(int(seconds * rate / frames)):
        assert quota.spend("lab", frames, 8 * frames) <= 1e-6
        clock.now += frames / rate


def test_bytes_count_as_well_tenants_are_apart_and_zero_is_no_limit() -> None:
    clock = Clock()
    quota = Quota(0, 100, clock)
    assert quota.spend("lab", 10**9, 300) == pytest.approx(3 - BURST_S)
    assert quota.spend("gym", 1, 50) <= 0
    assert quota.spend("lab", 1, 100) == pytest.approx(4 - BURST_S)
    assert Quota(0, 0, clock).spend("lab", 10**9, 10**9) == 0


@pytest.mark.parametrize("limits", [{"tenant_frames_per_s": 300}, {"tenant_bytes_per_s": 300 * 96 * 4}])
def test_a_file_is_slowed_down_to_the_quota_and_answered_as_ever(
    tiny_model: Path, tmp_path: Path, limits: dict[str, float]
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits=limits) as served:
            recording = motion(served.skeleton, 6)  # 720 frames: 2.4 s at the quota, a second of which is the burst
            caller = await served.opened(provisional=False)
            begin = time.monotonic()
            await caller.send(recording)
            events = await caller.finish()
            assert time.monotonic() - begin > 1.2
            assert final(events) == final(alone(served, recording, SessionOptions(provisional=False)))
            assert served.counted("motionscribe_throttled_seconds_total") > 1.2

    asyncio.run(run())


def test_who_owes_computes_nothing_on_other_calls_either(tiny_model: Path, tmp_path: Path) -> None:
    """Opening, sending and cancelling again and again is no way round."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"tenant_frames_per_s": 100}) as served:
            recording = motion(served.skeleton, 5)
            for number in range(6):
                caller = await served.opened(f"lab-{number}")
                await caller.send(recording, 0, 600, block=600)
                caller.call.cancel()
                await served.lost(f"lab-{number}")
            assert served.counted("motionscribe_frames_total", model=served.model.key) <= 600

    asyncio.run(run())


def test_calls_beyond_those_of_a_connection_wait_for_one_to_end(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"connection_calls": 2}) as served:
            one, two = await served.opened("one"), await served.opened("two")
            three = asyncio.create_task(served.opened("three"))
            await asyncio.sleep(0.3)
            assert not three.done()
            assert served.server.registry.find("three") is None
            await one.finish()
            await (await asyncio.wait_for(three, 5)).finish()
            await two.finish()

    asyncio.run(run())
