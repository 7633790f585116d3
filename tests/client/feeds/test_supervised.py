"""Sinks of a feed: opened once for all of its runs, and anew where they fail; closed however long that takes."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.scripted_server import COLUMNS, ScriptedServer
from tests.support.waiting import until

from motionscribe.events import Event
from motionscribe.feeds import restarting, supervised
from motionscribe.feeds.feed_file import read_feeds
from motionscribe.feeds.wall import Wall
from motionscribe.sinks import MakeSink, StreamInfo, addresses

HERE = "tests.client.feeds.test_supervised"


class Slow:
    """A place whose first `failing` sinks fail, and that closes when it may."""

    def __init__(self, failing: int = 0) -> None:
        self.failing = failing
        self.opened = self.made = self.written = 0
        self.may_close = threading.Event()
        self.closed = False

    def write(self, event: Event) -> None:
        if self.made <= self.failing:
            raise OSError("disk full")
        self.written += 1

    def close(self) -> None:
        pass

    @contextmanager
    def open(self, address: str) -> Iterator[MakeSink]:
        def make(info: StreamInfo) -> "Slow":
            self.made += 1
            return self

        self.opened += 1
        yield make
        self.may_close.wait(20)
        self.closed = True


class Stuck(Slow):
    """A place that takes one event, and never returns from it."""

    def write(self, event: Event) -> None:
        super().write(event)
        threading.Event().wait()


def arrange(folder: Path, server: ScriptedServer, place: Slow, patch: pytest.MonkeyPatch) -> Path:
    """A file of one recording, over and over without a pause, that goes to `place`."""
    patch.setattr(f"{HERE}.opener", place.open, raising=False)
    patch.setattr(addresses, "PLACES", (addresses.Place("slow", "X", "", f"{HERE}:opener"),))
    patch.setattr(restarting, "FIRST_S", 0.01)
    patch.setattr(restarting, "LONGEST_S", 0.01)
    rows = [f"{n / 100},1,0.5" for n in range(20)]
    (folder / "a.csv").write_text("\n".join([",".join(["time", *COLUMNS]), *rows]))
    path = folder / "feeds.toml"
    path.write_text(f'address = "{server.address}"\n[[feed]]\nsource = "a.csv"\nstream_id = "a"\nto = ["slow:x"]\n')
    return path


def test_sinks_outlive_runs_and_are_closed_however_long_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        wall = Wall()
        await wall.show(read_feeds(path))
        await until(lambda: place.made >= 3)
        ending = asyncio.create_task(wall.end())
        await asyncio.sleep(0.2)  # longer than the labels have
        assert not place.closed
        place.may_close.set()
        await ending
        assert (place.opened, place.closed) == (1, True)

    place = Slow()
    monkeypatch.setattr(supervised, "GRACE_S", 0.05)
    with ScriptedServer() as server:
        path = arrange(tmp_path, server, place, monkeypatch)
        asyncio.run(run())


def test_outputs_are_closed_where_a_sink_does_not_return(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        wall = Wall()
        await wall.show(read_feeds(path))
        await until(lambda: place.written > 0)
        await wall.end()
        assert place.closed
        assert wall.lost

    place = Stuck()
    place.may_close.set()
    monkeypatch.setattr(supervised, "GRACE_S", 0.05)
    monkeypatch.setattr(supervised, "STUCK_S", 0.05)
    with ScriptedServer() as server:
        path = arrange(tmp_path, server, place, monkeypatch)
        asyncio.run(run())


def test_places_whose_sinks_fail_are_opened_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        wall = Wall()
        await wall.show(read_feeds(path))
        await until(lambda: place.written >= 40)
        await wall.end()

    place = Slow(failing=2)
    place.may_close.set()
    with ScriptedServer() as server:
        path = arrange(tmp_path, server, place, monkeypatch)
        asyncio.run(run())
    assert place.opened == 3
