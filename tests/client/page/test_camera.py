"""Cameras of viewers: what a browser sends becomes an ordinary stream of a real server."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.page import Viewer, page_of, request, viewing
from tests.support.serving import Served, serving
from tests.support.waiting import PATIENCE_S
from websockets.exceptions import ConnectionClosed, InvalidStatus

from motionscribe import AsyncClient
from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe.events import SegmentEnded
from motionscribe.page.pose_model import HOW, PACKAGE, VERSION
from motionscribe_models.body.joints import JOINTS
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings.keypoint_names import MEDIAPIPE_33

ROOT = Path(__file__).parents[3]
BODY = ROOT / "models" / "body" / "1"
RATE_HZ = 30
START_US = 1_700_000_000_000_000
"""Browsers send the time of day."""
Test = Callable[[Served, str, AsyncClient], Awaitable[None]]


def with_page(folder: Path, test: Test) -> None:
    """Runs a test with a server, a page of it, and a client."""

    async def run() -> None:
        async with serving(BODY, folder) as served:
            address = f"127.0.0.1:{served.server.port}"
            async with page_of(address) as page, AsyncClient(address) as client:
                await test(served, page, client)

    asyncio.run(run())


def filming(page: str, stream_id: str = "camera-1", rate: str = "30") -> AbstractAsyncContextManager[Viewer]:
    """The WebSocket of a camera."""
    return viewing(page, path=f"/camera?stream={stream_id}&rate={rate}")


def frame(time_us: float, rows: NDArray[np.float64] | None = None) -> bytes:
    """What a browser sends of one picture; nobody in sight where there are no rows (33, 4)."""
    rows = np.full((33, 4), np.nan) if rows is None else rows
    return np.array([time_us], "<f8").tobytes() + rows.astype("<f4").tobytes()


def landmarks(script: list[tuple[str, float]]) -> NDArray[np.float64]:
    """A performance (K, 33, 4) as MediaPipe's world landmarks with visibility; what a body lacks is not visible."""
    body = mapped(perform(script, rate_hz=RATE_HZ).recording).frames[:, :-1].reshape(-1, len(JOINTS), 3)
    rows = np.zeros((len(body), len(MEDIAPIPE_33), 4))
    shown = {"nose": "head", **{joint: joint for joint in JOINTS if joint in MEDIAPIPE_33}}
    for landmark, joint in shown.items():
        from_hips = body[:, JOINTS.index(joint)] - body[:, JOINTS.index("pelvis")]
        rows[:, MEDIAPIPE_33.index(landmark), :3] = from_hips * (1, -1, -1)
        rows[:, MEDIAPIPE_33.index(landmark), 3] = 0.9
    return rows


async def film(camera: Viewer, rows: NDArray[np.float64], start_us: float = START_US, pace: float = 3.0) -> None:
    """Sends at `pace` times the speed of a camera."""
    for n, row in enumerate(rows):
        await camera.socket.send(frame(start_us + n * 1e6 / RATE_HZ, row))
        await asyncio.sleep(1 / RATE_HZ / pace)


async def failure(camera: Viewer) -> str:
    """What a camera is told before it is closed."""
    said = str((await camera.read_a("failed"))["error"])
    with pytest.raises(ConnectionClosed):
        await camera.read_a("anything")
    return said


@asynccontextmanager
async def filming_at_last(page: str) -> AsyncIterator[Viewer]:
    """As soon as the place of a camera that has gone is free."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with filming(page) as camera:
                if (await camera.read(lambda _: True))["is"] == "opened":
                    yield camera
                    return
            await asyncio.sleep(0.02)


async def no_streams(client: AsyncClient) -> None:
    """Returns when none is live."""
    async with asyncio.timeout(PATIENCE_S):
        while await client.streams():
            await asyncio.sleep(0.02)


def test_what_a_camera_sees_is_labelled_as_any_stream(tmp_path: Path) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page) as viewer, filming(page, rate="29.7") as camera:
            assert (await camera.read_a("opened"))["stream"] == "camera-1"
            (stream,) = await client.streams()
            assert (stream.stream_id, stream.model, stream.rate_hz) == ("camera-1", "body", 29.7)
            await viewer.ask(do="watch", stream="camera-1")
            await viewer.read_a("opened")
            async with client.watch("camera-1") as watch:
                await film(camera, landmarks([("walk", 5.0), ("squat", 5.0)]))
                await camera.socket.close()
                events = [event async for event in watch]  # the stream ends when the camera does
            segments = [event for event in events if isinstance(event, SegmentEnded)]
            assert segments[0].start_us == START_US
            assert segments[-1].end_us >= START_US + 9_900_000
            assert len({segment.cluster for segment in segments}) >= 2
            poses = (await viewer.find(lambda message: message["is"] == "poses"))["frames"][-1]
            places = np.array(poses[:-1], float).reshape(-1, 3)
            assert 1 < places[JOINTS.index("head"), 1] - places[JOINTS.index("left_ankle"), 1] < 2  # metres, y up
            await no_streams(client)

    with_page(tmp_path, test)


def test_what_is_not_visible_is_not_seen(tmp_path: Path) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        rows = landmarks([("walk", 2.0)])
        rows[:, MEDIAPIPE_33.index("left_wrist"), 3] = 0.1
        async with viewing(page) as viewer, filming(page) as camera:
            await camera.read_a("opened")
            await viewer.ask(do="watch", stream="camera-1")
            await viewer.read_a("opened")
            await film(camera, rows)
            for n in range(30):  # nobody in sight: the stream goes on
                await camera.socket.send(frame(START_US + 2_000_000 + 33_333 * n))
            poses = (await viewer.read_a("poses"))["frames"][-1]
            seen = [place is not None for place in poses[:-1:3]]
            assert seen.count(False) == 1
            assert not seen[JOINTS.index("left_wrist")]
            assert [stream.has_owner for stream in await client.streams()] == [True]

    with_page(tmp_path, test)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("walk", "expected 536 bytes a frame, got text"),
        (b"", "expected 536 bytes a frame, got 0"),
        (frame(1e6)[:-1], "expected 536 bytes a frame, got 535"),
        (frame(float("nan")), "expected a time in microseconds, got nan"),
        (frame(-5.0), "expected a time in microseconds, got -5.0"),
        (frame(1e300), "expected a time in microseconds, got 1e+300"),
    ],
)
def test_a_malformed_frame_ends_its_own_stream_alone(tmp_path: Path, message: str | bytes, expected: str) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page), viewing(page), filming(page, "other") as other, filming(page) as camera:
            for one in (other, camera):
                await one.read_a("opened")
            await camera.socket.send(message)
            assert await failure(camera) == expected
            async with client.watch("other") as watch:
                await film(other, landmarks([("walk", 2.0)]))
                await other.socket.close()
                assert [event async for event in watch]

    with_page(tmp_path, test)


def test_a_sender_that_is_too_fast_is_told(tmp_path: Path) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page), filming(page) as camera:
            await camera.read_a("opened")
            with pytest.raises(ConnectionClosed):
                await film(camera, np.zeros((100_000, 33, 4)), pace=1e9)
            assert await failure(camera) == "expected at most 120 frames a second, got more"
            await no_streams(client)

    with_page(tmp_path, test)


@pytest.mark.parametrize("rate", ["", "fast", "nan", "-1", "inf", "1000"])
def test_a_rate_of_no_camera_is_refused(tmp_path: Path, rate: str) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page), filming(page, rate=rate) as camera:
            assert await failure(camera) == f"expected a rate of at most 120 Hz, got {rate!r}"

    with_page(tmp_path, test)


def test_there_are_no_more_cameras_than_viewers(tmp_path: Path) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with filming(page) as alone:
            assert await failure(alone) == "expected one camera per viewer, got 1 for 0"
        async with viewing(page) as viewer:
            await viewer.read_a("streams")
            async with filming(page):
                pass  # it goes before its stream is open
            for abort in (False, True):
                async with filming_at_last(page) as camera:
                    async with filming(page, "camera-2") as second:
                        assert await failure(second) == "expected one camera per viewer, got 2 for 1"
                    if abort:
                        camera.socket.transport.abort()
            await no_streams(client)

    with_page(tmp_path, test)


def test_what_the_server_refuses_is_told(tmp_path: Path) -> None:
    async def test(_: Served, page: str, client: AsyncClient) -> None:
        async with viewing(page), viewing(page), filming(page) as camera:
            await camera.read_a("opened")
            async with filming(page) as second:
                assert "camera-1" in await failure(second)
            async with filming(page, "no%20id") as second:
                assert "expected" in await failure(second)

    with_page(tmp_path, test)


def test_a_server_that_is_away_is_told() -> None:
    async def run() -> None:
        async with page_of("127.0.0.1:9") as page, viewing(page), filming(page) as camera:
            assert "no connection to 127.0.0.1:9" in await failure(camera)

    asyncio.run(run())


def test_the_gate_holds_for_cameras_and_their_model(tmp_path: Path) -> None:
    (tmp_path / "pose.js").write_text("// a model")

    async def run() -> None:
        async with page_of("127.0.0.1:9", "secret", pose_model=tmp_path) as page:
            for origin in (None, "http://evil.example"):
                with pytest.raises(InvalidStatus, match="403"):
                    async with viewing(page, origin=origin, path="/camera?rate=30"):
                        pass
            for path in ("/camera", "/pose/pose.js"):
                assert (await request(page, path))[0] == 303
        async with page_of("127.0.0.1:9", pose_model=tmp_path) as page:
            with pytest.raises(InvalidStatus, match="403"):
                async with viewing(page, origin="http://evil.example", path="/camera?rate=30"):
                    pass
            assert (await request(page, "/pose/pose.js"))[2] == "// a model"
            for path in ("/", "/login", "/pose/pose.js"):
                _, headers, _ = await request(page, path)
                assert headers["permissions-policy"] == "camera=(self)"
                scripts = re.findall("script-src ([^;]*)", headers["content-security-policy"])
                assert scripts == ["'self' 'wasm-unsafe-eval'" if path == "/" else "'self'"]

    asyncio.run(run())


def test_a_page_without_the_model_says_how_to_get_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def run() -> None:
        async with page_of("127.0.0.1:9") as page:
            assert (await request(page, "/pose/pose.js"))[0] == 404
            assert HOW in (await request(page, "/camera"))[2]

    asyncio.run(run())
    assert main(["page", "--port", "0", "--address", "127.0.0.1:9", "--camera", str(tmp_path)]) == 1
    assert f"expected {PACKAGE} in {tmp_path / 'node_modules'}" in capsys.readouterr().err


def test_one_version_of_the_model_is_installed_everywhere() -> None:
    for file in ("Makefile", "Dockerfile", "docs/2-connecting.md"):
        assert f"{PACKAGE}@{VERSION}" in (ROOT / file).read_text("utf-8"), file
