"""`motionscribe-train explain` on real recordings: the report answers each question, with numbers beside it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.support.cut_annotation import first_of

from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_training.__main__ import main
from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.data.dataset import read_aloud
from motionscribe_training.explaining.embedding_paths import LONG_S, embedding_paths
from motionscribe_training.explaining.network import network_of

CHAPTERS = ("geometry", "maps", "wanted", "trained", "embedding", "clusters", "failures")
FRAMES = 4800
"""The first 40 s of each trial."""
BODY = Path(__file__).parents[3] / "models" / "body" / "1"


@pytest.mark.data
def test_a_report_of_two_groups(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from motionscribe_training.explaining import command
    from motionscribe_training.explaining.chapters import maps, wanted

    paths: list[int] = []

    def counted(*arguments: object) -> list[object]:
        found = embedding_paths(*arguments)  # type: ignore[arg-type] # as they come
        paths.append(len(found))
        assert all(path.encoder.shape[1] == path.decoder.shape[1] == 3 for path in found)
        assert all(len(path.decoder) == round(LONG_S * 30) for path in found)
        return [*found]

    monkeypatch.setattr("motionscribe_training.explaining.chapters.embedding.embedding_paths", counted)
    monkeypatch.setattr(maps, "MOST", 3)
    monkeypatch.setattr(wanted, "UNITS", 1)
    monkeypatch.setattr(wanted, "DIRECTIONS", 0)
    monkeypatch.setattr(wanted, "CLUSTERS", 0)
    monkeypatch.setattr(command, "FILM_S", 0.5)
    monkeypatch.setattr("motionscribe_training.explaining.chapters.explained.CONTROLS", 2)

    def beginning(path: Path) -> Recording:
        whole = read_aloud(path)
        return replace(whole, frames=whole.frames[:FRAMES], timestamps_us=whole.timestamps_us[:FRAMES])

    monkeypatch.setattr(command, "read_aloud", beginning)
    monkeypatch.setattr(command, "find_annotation", lambda path: first_of(find_annotation(path), FRAMES))
    trials = [str(data_dir / "sub86" / f"{trial}.mat") for trial in ("03", "07")]
    out = tmp_path / "why"
    more = ["--against", trials[1], "--beside", str(BODY), "--out", str(out)]
    assert main(["explain", str(BODY), trials[0], *more]) == 0
    numbers = json.loads((out / "numbers.json").read_text("utf-8"))
    assert tuple(numbers) == CHAPTERS
    page = (out / "report.html").read_text("utf-8")
    assert all(f'<section id="{chapter}">' in page for chapter in CHAPTERS)
    state = numbers["geometry"]["state"]
    assert state["smoothness"] < state["null"][1]
    assert len(state["untrained"]) == 2
    assert numbers["geometry"]["input"]["advantage"] == [0, 0]
    spearmans = np.array(numbers["maps"]["kinds"]["integrated gradients"])
    assert (spearmans[:, 0] > spearmans[:, 1]).mean() > 0.8
    assert numbers["trained"]["network"]["error"] < min(own["error"] for own in numbers["trained"]["untrained"])
    agreement = numbers["trained"]["agreement"]
    assert agreement[str(BODY)] == pytest.approx(1, abs=0.01)  # it is the same model
    assert 0.5 < agreement["untrained networks"] < 1
    (wish,) = numbers["wanted"]["wishes"].values()
    assert wish["ratios"]["0"] >= 1.2
    assert wish["energies"]["3"] < 1
    assert numbers["clusters"]["groups"]
    assert numbers["failures"]["segments"]
    assert numbers["embedding"]["segments"] == paths[0] > 5
    for name in ("geometry-layers", "clusters-exemplars", "clusters-order"):
        assert (out / "pictures" / f"{name}.png").is_file()
        assert (out / "pictures" / f"{name}.svg").is_file()


def test_a_report_takes_the_place_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", str(BODY), str(tmp_path), "--out", str(tmp_path)]) == 1
    assert "expected a new folder" in capsys.readouterr().err


def test_a_model_of_other_features_is_not_beside_it(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", str(tmp_path / "why"), "--beside", str(tiny_model)]
    assert main(["explain", str(BODY), str(tmp_path), *out]) == 1
    assert "expected a model of the same features and stride" in capsys.readouterr().err


def test_a_folder_without_networks_of_a_training_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kept").mkdir()
    out = ["--out", str(tmp_path / "why"), "--checkpoints", str(tmp_path / "kept")]
    assert main(["explain", str(BODY), str(tmp_path), *out]) == 1
    assert "expected networks of a run with --keep-checkpoints" in capsys.readouterr().err
    assert not (tmp_path / "why").exists()


def test_the_network_of_the_shipped_model_is_there() -> None:
    assert network_of(read_bundle(BODY)).hidden == 256
