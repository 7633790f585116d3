"""The demo: run as a user runs it, with and without what it needs, and its scoring against a slow twin."""

import os
import re
import subprocess
import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe.cli import main
from motionscribe.demo.demonstration import shortfalls
from motionscribe.demo.performer import SCRIPT, Truth
from motionscribe.demo.score import anomalies_in, frames_by_action, score
from motionscribe.demo.server import serve
from motionscribe.errors import ServerFailed
from motionscribe.events import Anomaly, SegmentEnded
from motionscribe_models.errors import UnknownModelError

ROOT = Path(__file__).parents[3]
MOTIONSCRIBE = Path(sys.executable).with_name("motionscribe")


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`motionscribe demo`, away from the checkout, in the way of an environment meant for another server."""
    environment = {**os.environ, "MOTIONSCRIBE_HOST": "192.0.2.1", "MOTIONSCRIBE_MODELS": "/nowhere", "COLUMNS": "100"}
    (folder / "motionscribe.toml").write_text("port = 1\n")
    command = [str(MOTIONSCRIBE), "demo", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def ended(number: int, cluster: int, start_seq: int, end_seq: int) -> SegmentEnded:
    return SegmentEnded(number, cluster, "", start_seq, end_seq, start_seq * 10_000, end_seq * 10_000)


# -- the whole


@pytest.mark.slow
def test_demo_passes_and_says_what_it_did(tmp_path: Path) -> None:
    done = demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert done.stdout.startswith("Synthetic motion of performer 0")
    told = re.findall(r"^ *([\d.]+) to +([\d.]+) s  cluster \d+$", done.stdout, flags=re.MULTILINE)
    assert [start for start, _ in told] == ["0.0", *(end for _, end in told[:-1])], "segments tile"
    assert told[-1][1] == f"{sum(seconds for _, seconds in SCRIPT):.1f}"
    rows = [line for line in done.stdout.splitlines() if line.startswith("│")]
    assert len(rows) == len(told)
    for name in {name for name, _ in SCRIPT}:
        assert any(name in row.split("│")[5] for row in rows), f"{name} is in the truth"
    [accuracy] = re.findall(r"accuracy (0\.\d+)", done.stdout)
    assert float(accuracy) >= 0.8
    [noticed] = re.findall(r"(\d+) in the fall at the end", done.stdout)
    assert int(noticed) >= 1
    picture = (tmp_path / "motionscribe-demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {"motionscribe-demo.png", "motionscribe.toml"}


def test_without_the_model_it_says_where_it_looked(tmp_path: Path) -> None:
    done = demo(tmp_path, "--models", str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"motionscribe: expected the model body in {tmp_path}, got none")
    assert len(done.stderr.splitlines()) == 1


def test_a_server_that_refuses_is_quoted(tmp_path: Path) -> None:
    version = tmp_path / "body" / "1"
    version.mkdir(parents=True)
    (version / "manifest.json").write_text("{")
    with pytest.raises(ServerFailed, match=r"motionscribe-server: .*manifest\.json"), serve(tmp_path):
        pass
    with pytest.raises(UnknownModelError), serve(version):
        pass


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seed", "-1"], "expected 0, 1, 2, ..., got -1"),
        (["--seed", "x"], "expected 0, 1, 2, ..., got x"),
        (["--picture", "a.gif"], "expected a .png .svg .pdf in a folder that exists, got a.gif"),
        (["--picture", "nowhere/a.png"], "got nowhere/a.png"),
    ],
)
def test_wrong_usage(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["demo", *arguments])
    assert said in capsys.readouterr().err


def test_the_verdict_names_what_is_missing() -> None:
    assert shortfalls(0.8, 1) == []
    assert shortfalls(0.7994, 2) == ["an accuracy of at least 0.8, got 0.799"]
    assert shortfalls(0.9, 0) == ["an anomaly in the fall, got none"]
    assert len(shortfalls(0.5, 0)) == 2


# -- scoring

TRUTH = (Truth(1, 11, "walk"), Truth(11, 21, "run"), Truth(21, 31, "walk"))


def test_each_action_gets_one_cluster() -> None:
    found = [ended(1, 7, 1, 13), ended(2, 5, 13, 21), ended(3, 9, 21, 31)]
    result = score(TRUTH, found)
    assert result.names == {7: "walk", 5: "run"} or result.names == {9: "walk", 5: "run"}
    assert result.accuracy == (10 + 8) / 30


def test_frames_without_a_cluster_are_wrong() -> None:
    assert score(TRUTH, [ended(1, 0, 1, 31)]).accuracy == 0
    assert score(TRUTH, [ended(1, 0, 1, 11), ended(2, 3, 11, 21), ended(3, 4, 21, 31)]).accuracy == 20 / 30
    assert score(TRUTH, []).accuracy == 0


def test_what_was_done_in_a_span() -> None:
    assert frames_by_action(TRUTH, 9, 24) == {"run": 10, "walk": 2 + 3}
    assert list(frames_by_action(TRUTH, 1, 15)) == ["walk", "run"]
    assert frames_by_action(TRUTH, 31, 40) == {}


def test_anomalies_that_share_a_frame_with_a_segment() -> None:
    anomalies = [
        Anomaly(n, False, a, b, 0, 1, "motion fault", "misfit", "ended", 0.1, (), (), 0)
        for n, (a, b) in enumerate([(1, 11), (10, 12), (20, 99), (21, 22)])
    ]
    assert anomalies_in(TRUTH[1], anomalies) == anomalies[1:3]


@given(
    st.lists(st.tuples(st.sampled_from(["walk", "run", "wave"]), st.integers(1, 9)), min_size=1, max_size=8),
    st.lists(st.tuples(st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=8),
)
def test_score_is_the_best_of_all_namings(acts: list[tuple[str, int]], runs: list[tuple[int, int]]) -> None:
    """Frame by frame, over every way to give each cluster an action of its own or none."""
    truth, at = [], 1
    for name, frames in acts:
        truth.append(Truth(at, at + frames, name))
        at += frames
    found, start = [], 1
    for number, (cluster, frames) in enumerate(runs):
        found.append(ended(number, cluster, start, min(start + frames, at)))
        start = min(start + frames, at)
    names = np.array([segment.name for segment in truth for _ in range(segment.start_seq, segment.end_seq)])
    clusters = np.array([s.cluster for s in found for _ in range(s.start_seq, s.end_seq)] + [0] * (at - start))
    actions = [*dict.fromkeys(names.tolist())]
    present = sorted(set(clusters.tolist()) - {0})
    choices = permutations(actions + [""] * len(present), len(present))
    best = max(
        sum(((clusters == c) & (names == a)).sum() for c, a in zip(present, choice, strict=True)) for choice in choices
    )
    result = score(truth, found)
    assert result.accuracy == pytest.approx(best / len(names))
    assert len(set(result.names.values())) == len(result.names)
