"""`motionscribe-train alarms` on a shipped model and the performer: what changes, what does not, what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.manifest import ARRAYS, write_manifest
from motionscribe_models.recordings import Recording, even_times, write_recording
from motionscribe_models.repository import read_bundle
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_server.session.model import ServedModel
from motionscribe_training.__main__ import main
from motionscribe_training.fitting import pose_model

SHIPPED = Path(__file__).parents[2] / "models" / "body" / "1"


@pytest.fixture
def recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two people, half a minute each; a network of twenty iterations."""
    monkeypatch.setattr(pose_model, "ITERATIONS", 20)
    (tmp_path / "recordings").mkdir()
    for seed in (1, 2):
        script = (("walk", 10.0), ("wave", 8.0), ("squat", 8.0))
        write_recording(perform(script, seed, rate_hz=30.0).recording, tmp_path / "recordings" / f"{seed}.npz")
    return tmp_path / "recordings"


def test_alarms_are_new_and_labels_stay_what_they_are(recordings: Path, tmp_path: Path) -> None:
    arguments = ["alarms", str(SHIPPED), str(recordings), "--out", str(tmp_path)]
    assert main(arguments) == 0
    old, new = read_bundle(SHIPPED), read_bundle(tmp_path / "body" / "2")
    changed = {name for name, array in old.arrays.items() if not np.array_equal(array, new.arrays[name])}
    assert old.arrays.keys() == new.arrays.keys()
    assert changed
    assert all(name.startswith("anomaly.") for name in changed)
    assert dict(old.graphs) == dict(new.graphs)
    assert new.manifest.training["alarms"]["minutes"] == pytest.approx(2 * 52 / 60, abs=0.1), "each has a worse copy"
    assert ServedModel(new).anomaly is not None
    assert main(arguments) == 0
    assert read_bundle(tmp_path / "body" / "3").manifest.version == "3", "after that of the model and what is there"


def test_what_is_refused_leaves_no_folder(recordings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["alarms", str(SHIPPED), "--out", str(tmp_path), "--version", "1"]
    write_recording(perform((("walk", 4.0),), 3, rate_hz=30.0).recording, tmp_path / "short.npz")
    assert main([*arguments, str(tmp_path / "short.npz")]) == 1
    assert "expected at least 10 s of motion to fit alarms on" in capsys.readouterr().err
    assert not (tmp_path / "body" / "1").exists()
    table = feature_skeleton("pump", ("oil", "rpm"), 1.0)
    write_recording(Recording("pump", np.ones((90, 2), np.float32), even_times(90, 1.0), table), tmp_path / "pump.npz")
    assert main([*arguments, str(tmp_path / "pump.npz")]) == 1
    assert "pump" in capsys.readouterr().err
    (tmp_path / "body" / "1").mkdir(parents=True)
    assert main([*arguments, str(recordings)]) == 1
    assert "expected a new version of body" in capsys.readouterr().err


def test_a_model_without_alarms_gets_them(recordings: Path, tmp_path: Path) -> None:
    """As one has that was trained before there were alarms of these kinds."""
    old = tmp_path / "old" / "body" / "1"
    old.mkdir(parents=True)
    bundle = read_bundle(SHIPPED)
    for file in bundle.manifest.files:
        (old / file).write_bytes((SHIPPED / file).read_bytes())
    kept = {name: array for name, array in bundle.arrays.items() if not name.startswith("anomaly.")}
    np.savez_compressed(old / ARRAYS, allow_pickle=False, **kept)
    write_manifest(old, bundle.manifest)
    assert ServedModel(read_bundle(old)).anomaly is None
    assert main(["alarms", str(old), str(recordings), "--out", str(tmp_path)]) == 0
    assert ServedModel(read_bundle(tmp_path / "body" / "2")).anomaly is not None
    assert "alarms" in json.loads((tmp_path / "body" / "2" / "manifest.json").read_text())["training"]
