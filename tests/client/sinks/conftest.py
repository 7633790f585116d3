"""What waits lies in a folder of the test; tries and spills follow each other fast."""

import logging
from pathlib import Path

import pytest

from motionscribe.sinks import backlog, relay


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "motionscribe")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(relay, "FIRST_S", 0.01)
    monkeypatch.setattr(relay, "LONGEST_S", 0.05)
    monkeypatch.setattr(backlog, "SPILL_S", 0.04)
