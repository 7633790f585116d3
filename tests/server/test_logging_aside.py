"""The log is written aside: lines come in order, and a reader that does not read holds up nobody."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.support.waiting import PATIENCE_S

from motionscribe_server import logging_aside as module
from motionscribe_server.logging_aside import logging_aside

log = logging.getLogger("aside")


class Slow(logging.Handler):
    """Writes into a list, while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.gate = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Waits for the gate."""
        assert self.gate.wait(PATIENCE_S)
        self.lines.append(record.getMessage())


@contextmanager
def only(handler: logging.Handler) -> Iterator[None]:
    """The root logger's one handler."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, [handler]
    try:
        yield
    finally:
        root.handlers = before


def test_lines_come_in_order_and_all_of_them() -> None:
    slow = Slow()
    slow.gate.set()
    with only(slow), logging_aside():
        for number in range(100):
            log.warning("line %d", number)
    assert slow.lines == [f"line {number}" for number in range(100)]


def test_whoever_does_not_read_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WAITING", 10)
    slow = Slow()
    with only(slow), logging_aside():
        for number in range(100):
            log.warning("line %d", number)  # returns at once
        slow.gate.set()
        logging.getLogger().handlers[0].flush()
        log.warning("later")
    assert slow.lines[:3] == ["line 0", "line 1", "line 2"]
    assert len(slow.lines) < 20
    assert slow.lines[-1] == "later"
    assert slow.lines[-2].endswith("lines of this log were dropped, since nobody read it")
