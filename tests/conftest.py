"""Fixtures that every test file may use."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real recordings; the test is skipped where they are absent."""
    folder = Path(os.environ.get("MOTIONSCRIBE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set MOTIONSCRIBE_DATA")
    return folder


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Folder of the shipped model, models/cmu-expmap/1: small enough for tests, and what users get."""
    return Path(__file__).parents[1] / "models" / "cmu-expmap" / "1"
