"""A store comes in by one file and one line; it keeps the same as SQLite, and a server runs on it."""

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.server.storage.test_store_twins import kept, operations, outcome
from tests.support.serving import serving
from tests.throwaway.store import OPENER, MemoryStore

from motionscribe_server.errors import SettingsError
from motionscribe_server.settings import Settings
from motionscribe_server.storage import open_store as table
from motionscribe_server.storage.open_store import open_store
from motionscribe_server.storage.store import Store


def test_its_scheme_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="expected a path or a URL of redis:// or rediss://"):
        Settings.model_validate({"storage": {"location": "scratch://"}})
    monkeypatch.setitem(table.STORES, "scratch", OPENER)
    assert Settings.model_validate({"storage": {"location": "scratch://"}}).storage.location == "scratch://"
    assert isinstance(open_store("scratch://"), MemoryStore)
    with pytest.raises(ValueError, match="a URL of redis:// or rediss:// or scratch://"):
        open_store("memories://")


def test_a_store_whose_package_is_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.STORES, "scratch", "no_such_package:Store")
    with pytest.raises(SettingsError, match="expected the package that scratch:// needs, got No module named"):
        open_store("scratch://")


@settings(max_examples=60, deadline=None)
@given(st.lists(operations, max_size=12))
def test_it_keeps_what_sqlite_keeps(sequence: list[Callable[[Store], Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        one, two = open_store(str(Path(folder) / "store.sqlite")), MemoryStore("scratch://")
        for operation in sequence:
            got, wanted = outcome(two, operation), outcome(one, operation)
            assert got == wanted or (isinstance(got, str) and isinstance(wanted, str))  # both refused, in other words
        assert kept(one) == kept(two)
        one.close()


def test_a_server_runs_on_it(tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(table.STORES, "scratch", OPENER)

    async def run() -> None:
        async with serving(tiny_model, tmp_path, storage={"location": "scratch://"}):
            pass

    asyncio.run(run())
