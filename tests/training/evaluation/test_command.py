"""The command evaluate as a whole, on a small model."""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.recordings import Recording, read_recording, write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_training.data.annotations import Annotation
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.command import add_arguments, main
from motionscribe_training.evaluation.evaluate import Replayed, score_replayed
from motionscribe_training.evaluation.table import numbers


def run(arguments: Sequence[object]) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    main(parser.parse_args([str(argument) for argument in arguments]))


@pytest.mark.data
def test_the_command_scores_saves_and_draws(
    tiny_model: Path,
    start_of_trial_1: tuple[Recording, Annotation],
    replayed: Replayed,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recording, annotation = start_of_trial_1
    write_recording(recording, tmp_path / "start.npz")
    lines = [f"{start + 1},{end + 1},{name}" for start, end, name in annotation.segments]
    (tmp_path / "start.csv").write_text("\n".join(["start_seq,end_seq,name", *lines]))
    model = shutil.copytree(tiny_model, tmp_path / "model")
    picture, film = tmp_path / "new" / "bars.png", tmp_path / "new" / "film.gif"
    run([model, tmp_path / "start.npz", "--json", "--save", "--picture", picture, "--video", film, "--seconds", 0.2])

    printed = json.loads(capsys.readouterr().out)
    (row,) = printed["rows"]
    expected = numbers(score_replayed(replayed))
    del expected["boundary_f1"]  # a CSV has no tolerance
    assert {name: row[name] for name in expected} == expected
    assert "boundary_f1" not in row
    manifest = read_bundle(model).manifest
    assert manifest.metrics["balanced.accuracy"] == expected["accuracy"]
    assert manifest.training["evaluated_on"] == ["start"]
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert film.read_bytes().startswith(b"GIF89a")


@pytest.mark.data
def test_several_recordings_have_a_picture_each_and_those_without_truth_are_named(
    tiny_model: Path, data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = read_recording(data_dir / "sub86" / "01.mat")
    for name in ("walk_1", "walk_2"):
        write_recording(
            Recording(name, short.frames[:400], short.timestamps_us[:400], short.skeleton), tmp_path / f"{name}.npz"
        )
    (tmp_path / "walk_1.csv").write_text("start_seq,end_seq,name\n1,401,walk\n")
    run([tiny_model, tmp_path, "--lag", "fast", "stable", "--picture", tmp_path / "pictures" / "bars.png"])
    printed = capsys.readouterr()
    assert [line.split()[:2] for line in printed.out.splitlines()[1:5]] == [
        ["walk_1", "fast"],
        ["walk_1", "stable"],
        ["mean", "fast"],
        ["mean", "stable"],
    ]
    assert "walk_2.npz: no annotation, left out" in printed.err
    names = sorted(path.name for path in (tmp_path / "pictures").iterdir())
    assert names == ["bars-walk_1-fast.png", "bars-walk_1-stable.png"]


@pytest.mark.data
def test_what_cannot_be_evaluated_is_said(tiny_model: Path, data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"with an annotation, got none in .*01_01\.amc"):
        run([tiny_model, data_dir / "cmu_amc" / "01_01.amc"])
    with pytest.raises(TrainingError, match=r"running_1: expected frames of 96 columns \(.*\), got 117"):
        run([tiny_model, data_dir / "cmu8" / "running_1.txt"])
    with pytest.raises(TrainingError, match=r"got \.avi"):
        run([tiny_model, data_dir / "cmu8" / "running_1.txt", "--video", tmp_path / "film.avi"])
    with pytest.raises(ModelFolderError, match=r"manifest\.json"):
        run([tmp_path, data_dir / "sub86" / "01.mat"])


@pytest.mark.parametrize("option", ["--picture", "--video"])
def test_a_picture_never_takes_the_place_of_a_recording(tiny_model: Path, tmp_path: Path, option: str) -> None:
    recording = tmp_path / "walk.csv"
    recording.write_text("not even read")
    with pytest.raises(TrainingError, match=r"walk\.csv: expected a name ending in \.(png|mp4 or \.gif), got \.csv"):
        run([tiny_model, recording, option, recording])
    assert recording.read_text() == "not even read"
