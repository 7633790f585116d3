"""examples/camera_mediapipe.py in its own environment: a video of two people, through a real server, to labels.

Video and networks come from packages, the demo of Sports2D and an older MediaPipe: in CI nothing else can be fetched.
"""

import asyncio
import os
import re
import shutil
import subprocess
import venv
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from tests.support.serving import serving

from motionscribe.events import Label
from motionscribe.sinks import read_events

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "camera_mediapipe.py"
WANTED = "MOTIONSCRIBE_MEDIAPIPE"
"""Whoever sets it waits for half a gigabyte of packages."""
OFFLINE = re.compile("No matching distribution|NewConnectionError|NameResolution|Max retries|ConnectTimeout")


def pip(python: Path, *arguments: str) -> None:
    """Skips where no index answers, or has no wheel for this machine."""
    command = [str(python), "-m", "pip", *arguments, "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode and OFFLINE.search(done.stderr):
        pytest.skip(f"not to be installed here: {done.stderr[-200:]}")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the environment `env`, the example beside its model, and `demo.mp4`: 230 frames, 30 a second."""
    folder = tmp_path_factory.mktemp("mediapipe")
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    wheels = ("--no-deps", "--only-binary=:all:", "--dest", str(folder))
    pip(python, "download", *wheels, "sports2d==0.8.34")
    pip(python, "download", *wheels, "--python-version=3.12", "mediapipe==0.10.21")
    pip(python, "install", "--requirement", str(EXAMPLE.with_suffix(".txt")))
    with zipfile.ZipFile(next(folder.glob("sports2d-*.whl"))) as wheel:
        (folder / "demo.mp4").write_bytes(wheel.read("Sports2D/Demo/demo.mp4"))
    shutil.copy(EXAMPLE, folder)
    make = [python, ROOT / "tests" / "support" / "mediapipe_model.py", next(folder.glob("mediapipe-*.whl"))]
    subprocess.run([*make, folder / "pose_landmarker_full.task"], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.skipif(WANTED not in os.environ, reason=f"an environment of its own: set {WANTED}=1")
def test_two_people_of_a_video_are_followed_and_labelled(place: Path, tmp_path: Path) -> None:
    saved = tmp_path / "events.jsonl"

    def stream(port: int) -> subprocess.CompletedProcess[str]:
        command = [str(place / "env" / "bin" / "motionscribe"), "stream", f"camera:{place / 'demo.mp4'}"]
        options = ["--address", f"127.0.0.1:{port}", "--save", str(saved), "--stream-id", "demo"]
        environment = os.environ | {"MOTIONSCRIBE_ESTIMATOR": str(place / EXAMPLE.name)}
        return subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=False)

    async def run() -> subprocess.CompletedProcess[str]:
        async with serving(ROOT / "models" / "body" / "1", tmp_path) as served:
            return await asyncio.to_thread(stream, served.server.port)

    done = asyncio.run(run())
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    streams = read_events(saved)
    # a man who jumps from a roof and runs away, and a woman who passes below: ghosts and the jump make no third person
    assert sorted(streams) == ["demo-1", "demo-2"]
    for events, found, begins_s, ends_s in ((streams["demo-1"], 187, 0.5, 7.6), (streams["demo-2"], 134, 2.3, 6.7)):
        final = [event for event in events if isinstance(event, Label) and event.final]
        assert final[0].start_seq == 1
        assert all(one.end_seq == following.start_seq for one, following in pairwise(final))
        assert final[-1].end_seq - 1 == pytest.approx(found, abs=20)  # 230 frames in all
        assert final[0].start_us / 1e6 == pytest.approx(begins_s, abs=0.3)
        assert final[-1].end_us / 1e6 == pytest.approx(ends_s, abs=0.3)
        assert any(label.cluster for label in final)
