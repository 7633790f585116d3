"""Degraded events on a real server: to a real client of a camera, and once where a durable stream changes servers."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.lost_joints import LEFT_ARM, PLAY, check_told, without
from tests.support.serving import serving, wired

from motionscribe import Client
from motionscribe_models.body.joints import DERIVED, SEEN
from motionscribe_models.recordings import Recording, write_recording
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.events import Event
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

NO_ARM = without(PLAY, {joint: [(4.0, 7.0)] for joint in LEFT_ARM})
SPAN = (121, 211, 4_000_000, 7_000_000)


@pytest.fixture(scope="module")
def body_model() -> Path:
    return Path(__file__).parents[3] / "models" / "body" / "1"


def unsure(lost: str) -> Recording:
    """A camera that guesses where the arm is, says that it has no idea, or that it is at 0 0 0."""
    places, gone = (play.frames[:, :-1].reshape(len(play.frames), -1, 3)[:, len(DERIVED) :] for play in (PLAY, NO_ARM))
    unseen = np.atleast_2d(np.isnan(gone).any(axis=2))
    values = {"NaN": gone, "zero": np.where(unseen[..., None], 0, places), "confidence": places}[lost]
    confidences = np.where(unseen, 0.1, 0.9).astype(np.float32) if lost == "confidence" else None
    skeleton = Skeleton("camera", SEEN, (-1,) * len(SEEN), "positions", "m", 1.0, "y", 30.0)
    flat = values.reshape(len(values), -1).astype(np.float32)
    return Recording("camera", flat, PLAY.timestamps_us, skeleton, confidences=confidences)


@pytest.mark.parametrize("lost", ["NaN", "zero", "confidence"])
def test_a_client_is_told_of_an_arm_that_its_camera_lost(body_model: Path, tmp_path: Path, lost: str) -> None:
    write_recording(unsure(lost), tmp_path / "camera.npz")

    def stream(port: int) -> list[Event]:
        with Client(f"127.0.0.1:{port}") as client:
            return list(client.stream(tmp_path / "camera.npz"))

    async def run() -> None:
        async with serving(body_model, tmp_path) as served:
            events = await asyncio.to_thread(stream, served.server.port)
            (ended,) = check_told(events)
            assert ended.joints == LEFT_ARM
            assert (ended.start_seq, ended.end_seq, ended.start_us, ended.end_us) == SPAN
            assert served.counted("motionscribe_events_total", kind="Degraded") == 2

    asyncio.run(run())


def test_it_is_told_once_where_a_durable_stream_changes_servers(body_model: Path, tmp_path: Path) -> None:
    """The first server is left while the arm is out of sight, and what it told was not acknowledged."""

    async def run() -> None:
        async with serving(body_model, tmp_path) as first, serving(body_model, tmp_path) as second:
            expected = [
                e.event
                for e in replay(
                    first.model.served, first.engine, NO_ARM, SessionOptions(provisional=False, rate_hz=30.0)
                )
            ]
            opening: dict[str, Any] = {"skeleton": skeleton_to_message(NO_ARM.skeleton), "rate_hz": 30.0, "delivery": 2}
            caller = first.call()
            await caller.open(**opening)
            await caller.send(NO_ARM, 0, 160)
            await first.computed(160)
            await first.stream("lab").checkpoint()
            again = second.call()
            await again.open(**opening, resume_token=caller.opened.resume_token, last_event=0)
            await again.send(NO_ARM, again.opened.next_seq - 1)
            events = await again.finish()
            assert events == wired(expected)
            (ended,) = check_told(events)
            assert (ended.start_seq, ended.end_seq, ended.start_us, ended.end_us) == SPAN

    asyncio.run(run())
