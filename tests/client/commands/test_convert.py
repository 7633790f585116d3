"""`motionscribe convert` writes one file of another format, as a whole or not at all, and never over what is there."""

import sys
from pathlib import Path

import pytest

from motionscribe.cli import main
from motionscribe.demo.performer import perform
from motionscribe_models.recordings import read_recording, write_recording


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    write_recording(perform([("walk", 2.0)], seed=0).recording, tmp_path / "walk.npz")
    return tmp_path / "walk.npz"


def test_it_says_what_was_read_and_what_was_written(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(walk), str(walk.with_suffix(".trc"))]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert "walk.npz: cmu-expmap: 31 joints, expmap, 0.05644 m, y up" in first
    assert "walk.trc: trc: 31 joints, positions, m, y up" in second


def test_a_rate_may_be_given(walk: Path) -> None:
    assert main(["convert", str(walk), str(walk.with_suffix(".trc")), "--rate", "60"]) == 0
    assert read_recording(walk.with_suffix(".trc")).skeleton.rate_hz == 60


def test_a_file_that_is_there_stays_unless_it_may_go(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = walk.with_suffix(".csv")
    out.write_text("mine")
    assert main(["convert", str(walk), str(out)]) == 1
    assert "which exists: add --replace" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert main(["convert", str(walk), str(out), "--replace"]) == 0
    assert read_recording(out).skeleton.joints[0] == "root"
    assert main(["convert", str(walk), str(walk), "--replace"]) == 1
    assert "which is read" in capsys.readouterr().err


def test_what_cannot_be_written_leaves_nothing_behind(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(walk), str(walk.with_suffix(".trc"))]) == 0
    assert main(["convert", str(walk.with_suffix(".trc")), str(walk.with_suffix(".bvh"))]) == 1
    assert "expected rotations for .bvh" in capsys.readouterr().err
    assert main(["convert", str(walk), str(walk.with_suffix(".doc"))]) == 1
    assert f"{walk.parent}/walk.doc: expected a file ending in .npz, .csv, .trc, .bvh, .nc" in capsys.readouterr().err
    assert main(["convert", str(walk), str(walk.parent / "away" / "walk.csv")]) == 1
    assert f"expected a folder for {walk.parent}/away/walk.csv, found none" in capsys.readouterr().err
    assert sorted(path.name for path in walk.parent.iterdir()) == ["walk.npz", "walk.trc"]


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="it is resolved as far as it goes there")
def test_a_link_that_leads_to_itself_is_refused_in_a_line(walk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (walk.parent / "loop.csv").symlink_to("loop.csv")
    assert main(["convert", str(walk), str(walk.parent / "loop.csv")]) == 1
    assert "loop.csv: expected a place for a file, got Symlink loop" in capsys.readouterr().err
