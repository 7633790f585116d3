"""Fixtures that every test file may use. Each process of pytest-xdist has its own copy of the session fixtures."""

import os

# before numpy and torch are imported, and for the servers that tests start: their thread pools would fight for the
# cores that the test processes keep busy, and sums of several threads round differently from machine to machine
os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from hypothesis import settings

from tests.support.redis_server import redis_server

# an example takes longer where other tests use the machine
settings.register_profile("motionscribe", deadline=None)
settings.load_profile("motionscribe")


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Folder of the real recordings; the test is skipped where they are absent."""
    folder = Path(os.environ.get("MOTIONSCRIBE_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set MOTIONSCRIBE_DATA")
    return folder


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis that all tests share."""
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(params=["sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of each kind, as the setting `storage.location` names it."""
    if request.param == "sqlite":
        return str(tmp_path / "new" / "store.sqlite")
    url: str = request.getfixturevalue("redis_url")
    with redis.Redis.from_url(url) as client:
        client.flushall()
    return url


@pytest.fixture(scope="session")
def tiny_model() -> Path:
    """Folder of the shipped model, models/cmu-expmap/1: small enough for tests, and what users get."""
    return Path(__file__).parents[1] / "models" / "cmu-expmap" / "1"
