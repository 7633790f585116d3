"""A receiver of a network sink that is away, hangs or forgets to answer on purpose, and what waits for it."""

import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from motionscribe.events import Event
from motionscribe.sinks import StreamInfo, backlog, relay
from motionscribe.sinks.message import Message
from motionscribe.sinks.outlet import Outlet
from motionscribe.sinks.relay import relayed

INFO = StreamInfo("gym/1", "a title", {7: "walk"})
ADDRESS = "made-up:nowhere"


class MadeUp(Outlet):
    """A receiver that is away when it is told to be."""

    where = "made-up"
    most = 8

    def __init__(self, *, away: bool = False) -> None:
        self.came: list[Message] = []
        self.left: list[str] = []
        self.tries = 0
        self.closed = False
        self.answers = True
        self.error: Exception = ConnectionRefusedError("nobody listens")
        self.there = threading.Event()
        self.free = threading.Event()
        """Unset while it hangs."""
        self.free.set()
        if not away:
            self.there.set()

    def send(self, messages: Sequence[Message]) -> None:
        self.tries += 1
        self.free.wait(10)
        if not self.there.is_set():
            raise self.error
        self.came += messages
        if not self.answers:
            raise ConnectionResetError("gone before it answered")

    def leave(self, stream: str) -> None:
        self.left.append(stream)

    def close(self) -> None:
        self.closed = True

    @property
    def texts(self) -> list[str]:
        return [message.to_json() for message in self.came]


def files() -> list[Path]:
    return sorted(backlog.folder().glob("*.sqlite"))


def leave_behind(events: Sequence[Event], monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command leaves whose receiver was never there."""
    with monkeypatch.context() as patch:
        patch.setattr(relay, "PATIENCE_S", 0.01)
        with relayed(ADDRESS, MadeUp(away=True)) as make:
            sink = make(INFO)
            for event in events:
                sink.write(event)
            sink.close()
