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
