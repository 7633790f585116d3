"""The recipes of CONTRIBUTING.md work as they stand there: their code runs, and their line adds it."""

import ast
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from motionscribe import cli
from motionscribe.sinks import addresses
from motionscribe.sources import open_source, schemes
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.recordings import Recording, even_times, read_recording, reading, write_recording
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_models.skeleton import Skeleton
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.pools import Pools
from motionscribe_server.session.anomaly.reference import Layout
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.table import SCORES
from motionscribe_server.session.span import Span
from motionscribe_server.storage import open_store as stores
from tests.support.made_up_session import SKELETON as PLANE
from tests.support.scripted_server import ScriptedServer
from tests.throwaway.store import MemoryStore

ROOT = Path(__file__).parents[1]
PACKAGES = {"client", "models", "server"}


def recipe(title: str, monkeypatch: pytest.MonkeyPatch) -> tuple[ModuleType, str]:
    """The file of a recipe as a module that can be imported, and its line for the table."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split(f"\n## {title}\n")[1].split("\n## ")[0]
    code, line = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len([row for row in code.splitlines() if row]) <= 30
    path = re.search(r"`([a-z_/]+)\.py`:", text)
    assert path
    folder, *parts = path[1].split("/")
    assert folder in PACKAGES
    module = ModuleType(".".join(parts))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(code, path[1], "exec"), module.__dict__)
    return module, line.strip()


def test_a_feed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    module, line = recipe("A feed", monkeypatch)
    monkeypatch.setattr(schemes, "SCHEMES", with_line(schemes.SCHEMES, eval(line, {"Scheme": schemes.Scheme})))
    lines = tmp_path / "lines.csv"
    lines.write_text("1,0.5\n2,0.5\n" * 20)
    with ScriptedServer() as server, lines.open() as standard_input:
        monkeypatch.setattr(module.sys, "stdin", standard_input)
        assert cli.main(["stream", "lines:100", "--address", server.address, "--json"]) == 0
    assert capsys.readouterr().out.count('"Label"') == 40
    assert cli.main(["stream", "lines:fast", "--address", server.address]) == 1
    assert "expected a number, got 'fast'" in capsys.readouterr().err
    assert open_source("lines:50").rate_hz == 50


def test_a_file_format(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module, line = recipe("A file format", monkeypatch)
    names = {"Reader": reading.Reader, "npy": module}
    monkeypatch.setattr(reading, "READERS", with_line(reading.READERS, eval(line, names)))
    frames = np.random.default_rng(0).normal(size=(7, 96)).astype(np.float32)
    np.save(tmp_path / "walk.npy", frames)
    assert np.array_equal(read_recording(tmp_path / "walk.npy").frames, frames)
    assert read_recording(tmp_path / "walk.npy", 50.0).timestamps_us[1] == 20_000


def test_a_sink(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, line = recipe("A sink", monkeypatch)
    monkeypatch.setattr(addresses, "PLACES", with_line(addresses.PLACES, eval(line, {"Place": addresses.Place})))
    subtitles = tmp_path / "watched.srt"
    with ScriptedServer() as server:
        assert cli.main(["watch", "live", "--address", server.address, "--to", str(subtitles)]) == 0
    assert re.fullmatch(r"1\n\d\d:\d\d:\d\d,\d{3} --> \d\d:\d\d:\d\d,\d{3}\n\w+\n\n", subtitles.read_text())


def test_an_anomaly_score(monkeypatch: pytest.MonkeyPatch) -> None:
    module, line = recipe("An anomaly score", monkeypatch)
    monkeypatch.setitem(SCORES, *entry(line, module))
    layout = Layout(FeatureMap(PLANE, (0, 1)))
    assert layout.slices()[-1] == (module.Unrest, slice(len(layout.columns) - 1, len(layout.columns)))
    sensed = Sensed(np.ones(2), np.array([1.0, 3.0]), np.zeros(2))
    seen = Span(1, 2, 0, 1), sensed, np.ones(2), 1.0, 1.0, np.zeros(2, np.float32), np.ones(6)
    logs, _ = Pools(layout, 2.0).add(Observation(*seen, order_rate=1.0, duration_rate=1.0))
    assert logs[-1] == pytest.approx(np.log(2.0))


def test_a_representation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module, line = recipe("A representation", monkeypatch)
    monkeypatch.setitem(REPRESENTATIONS, *entry(line, module))
    arm = Skeleton("arm", ("elbow", "wrist"), (-1, 0), "angles", "degrees", 1.0, "z", 60.0)
    frames = np.array([[90.0, 0.0], [180.0, 0.0]] * 10, np.float32)
    write_recording(Recording("arm", frames, even_times(20, 60.0), arm), tmp_path / "arm.npz")
    read = read_recording(tmp_path / "arm.npz")
    features = recording_features(FeatureMap(read.skeleton, (0, 1)), read.frames, read.timestamps_us, 60.0)
    assert features[:2] == pytest.approx(np.array([[0, 1, 1, 0], [-1, 0, 1, 0]]), abs=1e-5)


def test_a_store(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("\n## A store\n")[1]
    (line,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    ((scheme, opener),) = ast.literal_eval(f"{{{line}}}").items()
    module = ModuleType(opener.split(":")[0])
    monkeypatch.setattr(module, "MemoryStore", MemoryStore, raising=False)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(stores.STORES, scheme, opener)
    assert isinstance(stores.open_store("memory://"), MemoryStore)


def with_line(table: tuple[Any, ...], line: Any) -> tuple[Any, ...]:
    """The table with a line, once where somebody followed the recipe already."""
    return (*(other for other in table if other != line), line)


def entry(line: str, module: ModuleType) -> tuple[str, object]:
    """Key and value of a table's line."""
    ((key, value),) = eval(f"{{{line}}}", module.__dict__).items()
    return key, value
