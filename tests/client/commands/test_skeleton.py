"""`motionscribe skeleton` says how a file's joints are read, and what cannot be."""

from pathlib import Path

import numpy as np
import pytest

from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe_models.recordings import write_recording


def test_a_body_is_described_joint_by_joint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_recording(perform([("walk", 3.0)], seed=0).recording, tmp_path / "walk.npz")
    assert main(["skeleton", str(tmp_path / "walk.npz")]) == 0
    out = capsys.readouterr().out
    assert "31 joints, expmap" in out
    assert "left_wrist: lradius" in out


def test_a_machine_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = "\n".join(f"{k / 10},{value:.3f}" for k, value in enumerate(np.sin(np.arange(30))))
    (tmp_path / "rig.csv").write_text(f"time,pressure\n{rows}\n")
    assert main(["skeleton", str(tmp_path / "rig.csv")]) == 1
    assert "expected joints of a body, got columns that are none: pressure" in capsys.readouterr().err


def test_a_body_in_an_image_is_described_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
    names = [f"{side}_{part}" for part in parts for side in ("left", "right")]
    header = ",".join(f"{name}_{axis}" for name in names for axis in "xy")
    row = ",".join(f"{300 + 40 * (n % 2)},{100 + 30 * (n // 2)}" for n in range(len(names)))
    (tmp_path / "webcam.csv").write_text("\n".join([header, *[row] * 30]))
    assert main(["skeleton", str(tmp_path / "webcam.csv")]) == 0
    out = capsys.readouterr().out
    assert "12 joints, positions2d, px, -y up" in out
    assert "left_wrist: left_wrist" in out
    assert "head: not there" in out
