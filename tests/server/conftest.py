"""Fixtures of tests of the server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.serving import Shared, shared


@pytest.fixture(scope="module")
def shared_server(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """A server for the tests of a file that only ask it for things."""
    with shared(tiny_model, tmp_path_factory.mktemp("shared")) as server:
        yield server
