"""`motionscribe simulate` writes a recording of the synthetic performer and what is in it, or nothing."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from motionscribe.cli import main
from motionscribe.demo.performer import SCRIPT, perform
from motionscribe_models.recordings import read_recording


def labels_of(path: Path) -> dict[str, Any]:
    labels: dict[str, Any] = json.loads(path.with_suffix(".labels.json").read_text("utf-8"))
    return labels


def test_it_writes_what_the_performer_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "gym.npz"
    faults = ["--fault", "limp@1:1.5", "--fault", "drop@0.5:0.25"]
    assert main(["simulate", str(out), "--seed", "4", "--script", "walk:3,collapse:4", "--rate", "60", *faults]) == 0
    wanted = perform([("walk", 3.0), ("collapse", 4.0)], 4, 60.0, [("limp", 1.0, 1.5), ("drop", 0.5, 0.25)])
    written = read_recording(out)
    assert np.array_equal(written.frames, wanted.recording.frames)
    assert written.skeleton == wanted.recording.skeleton
    labels = labels_of(out)
    assert (labels["name"], labels["rate_hz"]) == ("synthetic-4", 60.0)
    walk, collapse = labels["actions"]
    assert walk == {"name": "walk", "start_seq": 1, "end_seq": 181, "start_s": 0.0, "end_s": 3.0}
    assert collapse["balance_lost_seq"] == wanted.segments[1].balance_lost_seq
    assert collapse["balance_lost_s"] == pytest.approx((collapse["balance_lost_seq"] - 1) / 60)
    drop, limp = labels["faults"]
    assert drop["joints"] == list(wanted.faults[0].joints)
    del drop["joints"], limp["joints"]
    assert drop == {"kind": "drop", "start_seq": 31, "end_seq": 46, "start_s": 0.5, "end_s": 0.75}
    assert limp == {"kind": "limp", "start_seq": 61, "end_seq": 151, "start_s": 1.0, "end_s": 2.5}
    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{out}: {first.split(': ', 1)[1]}"
    assert "cmu-expmap: 31 joints, expmap" in first
    assert "420 frames at 60 Hz" in first
    assert second == f"{tmp_path / 'gym.labels.json'}: 2 actions, 2 faults"


@pytest.mark.parametrize("ending", [".csv", ".trc", ".bvh"])
def test_other_formats_have_the_same_frames(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"walk{ending}"
    assert main(["simulate", str(out), "--script", "walk:2"]) == 0
    assert len(read_recording(out).frames) == 240
    assert labels_of(out)["actions"][-1]["end_seq"] == 241


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 1), (5.2, 1), (14.0, 3), (81.2, 12), (81.6, 13)])
def test_so_many_seconds_of_everything_but_the_fall(tmp_path: Path, seconds: float, count: int) -> None:
    out = tmp_path / "long.npz"
    assert main(["simulate", str(out), "--seconds", str(seconds), "--rate", "30"]) == 0
    actions = labels_of(out)["actions"]
    assert [action["name"] for action in actions] == ([name for name, _ in SCRIPT[:-1]] * 2)[:count]
    assert actions[-1]["end_s"] == pytest.approx(seconds, abs=0.02)
    assert all("balance_lost_seq" not in action for action in actions)


def test_the_script_of_the_demo_is_the_default(tmp_path: Path) -> None:
    assert main(["simulate", str(tmp_path / "demo.npz"), "--rate", "30"]) == 0
    assert [action["name"] for action in labels_of(tmp_path / "demo.npz")["actions"]] == [name for name, _ in SCRIPT]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--script", "walk"], "expected ACTION:SECONDS of walk, run, jump"),
        (["--script", "dance:3"], "got 'dance:3'"),
        (["--script", "walk:long"], "expected seconds, got 'long' in 'walk:long'"),
        (["--script", "walk:0.1"], "for 0.5 to 3600 s, got 'walk' for 0.1 s"),
        (["--script", "walk:3", "--seconds", "3"], "not allowed with argument"),
        (["--seconds", "0.4"], "expected 0.5 to 3600 seconds, got 0.4"),
        (["--seconds", "1e9"], "expected 0.5 to 3600 seconds, got 1e+09"),
        (["--fault", "limp"], "expected KIND@SECOND:SECONDS, got 'limp'"),
        (["--fault", "limp@1:x"], "expected seconds, got 'x' in 'limp@1:x'"),
        (["--fault", "dance@1:1"], "expected a fault of limp, tremble, freeze, swap, drop, got 'dance'"),
        (["--script", "walk:3", "--fault", "limp@2:2"], "expected a fault within the 3 s of motion, got limp at 2.0 s"),
        (["--rate", "5"], "a rate of 10 to 1000 Hz"),
        (["--seed", "-1"], "expected 0, 1, 2, ..., got -1"),
    ],
)
def test_wrong_usage(tmp_path: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["simulate", str(tmp_path / "a.npz"), *arguments])
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_files_that_are_there_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for there in ("a.npz", "a.labels.json"):
        (tmp_path / there).write_text("mine")
        assert main(["simulate", str(tmp_path / "a.npz"), "--script", "walk:1"]) == 1
        assert f"expected a new file, got {tmp_path / there}, which exists" in capsys.readouterr().err
        assert (tmp_path / there).read_text() == "mine"
        (tmp_path / there).unlink()
    for out, said in (
        ("a.doc", "expected a file ending in .npz"),
        ("away/a.npz", "expected a folder for"),
        (".", "no e"),
    ):
        assert main(["simulate", str(tmp_path / out), "--script", "walk:1"]) == 1
        assert said in capsys.readouterr().err
    assert main(["simulate", ".", "--script", "walk:1"]) == 1
    assert list(tmp_path.iterdir()) == []
