"""`motionscribe clusters show` and `split`, and faces in a report: from a real server to files of others."""

import asyncio
import io
import re
from base64 import b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from tests.support.serving import serving

from motionscribe import AsyncClient
from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe.exemplars import Exemplar, Exemplars
from motionscribe.sinks.clips import HEIGHT, WIDTH, clips_gif
from motionscribe_models.body.skeleton import BODY2D
from motionscribe_models.errors import LayoutError

BODY = Path(__file__).parents[3] / "models" / "body" / "1"
RECORDING = perform([("walk", 5.0), ("squat", 5.0)], rate_hz=30, seed=1).recording
Test = Callable[[AsyncClient, Callable[..., Awaitable[int]]], Awaitable[None]]


def with_stream(folder: Path, test: Test) -> None:
    """Runs a test with a server that has seen the stream "gym"; the second argument runs a command against it."""

    async def run() -> None:
        async with serving(BODY, folder) as served, AsyncClient(f"127.0.0.1:{served.server.port}") as client:
            async for _ in client.stream(RECORDING, stream_id="gym"):
                pass

            async def command(*words: str) -> int:
                return await asyncio.to_thread(main, [*words, "--address", client.address])

            await test(client, command)

    asyncio.run(run())


async def longest(client: AsyncClient) -> int:
    return max(await client.clusters("gym"), key=lambda cluster: cluster.seconds).id


def moves(gif: bytes) -> bool:
    """Whether its pictures differ."""
    with Image.open(io.BytesIO(gif)) as picture:
        return len({frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(picture)}) > 1


def test_a_cluster_is_shown_as_a_moving_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def test(client: AsyncClient, command: Callable[..., Awaitable[int]]) -> None:
        cluster, gif = str(await longest(client)), tmp_path / "it.gif"
        assert await command("clusters", "show", "gym", cluster, "--gif", str(gif)) == 0
        assert "clips of this stream" in capsys.readouterr().out
        with Image.open(gif) as picture:
            assert (picture.width % WIDTH, picture.height, picture.info["duration"]) == (0, HEIGHT, 100)
        assert moves(gif.read_bytes())
        assert await command("clusters", "show", "gym", cluster, "--gif", str(gif)) == 1
        assert "which exists: add --replace" in capsys.readouterr().err
        assert await command("clusters", "show", "gym", "999") == 1
        assert "got 999" in capsys.readouterr().err

    with_stream(tmp_path, test)


def test_a_merge_is_undone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def test(client: AsyncClient, command: Callable[..., Awaitable[int]]) -> None:
        one = await longest(client)
        other = next(cluster.id for cluster in await client.clusters("gym") if cluster.segments and cluster.id != one)
        assert await command("clusters", "merge", "gym", str(other), "--into", str(one)) == 0
        assert await command("clusters", "split", "gym", str(other)) == 0
        assert all(cluster.merged_into is None for cluster in await client.clusters("gym"))
        capsys.readouterr()
        assert await command("clusters", "split", "gym", str(other)) == 1
        assert "expected a cluster that is part of another" in capsys.readouterr().err

    with_stream(tmp_path, test)


def test_a_report_has_the_faces_that_a_server_knows(tmp_path: Path) -> None:
    async def test(client: AsyncClient, command: Callable[..., Awaitable[int]]) -> None:
        recording, saved, page = tmp_path / "it.npz", tmp_path / "gym.jsonl", tmp_path / "gym.html"
        assert await asyncio.to_thread(main, ["simulate", str(recording)]) == 0
        words = ["stream", str(recording), "--stream-id", "hall", "--save", str(saved), "--json"]
        assert await command(*words) == 0
        assert await command("report", str(saved), "--html", str(page)) == 0
        gifs = re.findall(r"data:image/gif;base64,([^\"]+)", page.read_text("utf-8"))
        assert gifs
        assert all(moves(b64decode(gif)) for gif in gifs)

    with_stream(tmp_path, test)


def test_bodies_in_an_image_and_joints_that_nobody_knows_are_drawn() -> None:
    frames = np.random.default_rng(0).normal(0, 1, (8, len(BODY2D.columns))).astype(np.float32)
    frames[:, :2] = np.nan
    assert moves(clips_gif(Exemplars(BODY2D, 10.0, (Exemplar(None, frames), Exemplar(1, frames[:4])))))
    with pytest.raises(LayoutError, match="expected a cluster with clips"):
        clips_gif(Exemplars(BODY2D, 10.0, ()))
