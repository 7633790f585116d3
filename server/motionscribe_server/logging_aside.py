"""The server's log is written by a thread of its own: whoever does not read it holds up no stream.

In: the handlers of the root logger. Out: the same lines, a little later. Beyond WAITING lines, new ones are dropped
until some were written; a line says how many.
"""

import logging
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

WAITING = 10_000
LAST_S = 1.0
"""For the lines that wait when the server ends."""


class _Aside(logging.Handler):
    def __init__(self, handlers: list[logging.Handler]) -> None:
        super().__init__()
        self._handlers = handlers
        self._lines: queue.Queue[logging.LogRecord | threading.Event] = queue.Queue(WAITING)
        self._dropped = 0
        threading.Thread(target=self._write, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Never waits."""
        try:
            if self._dropped:
                text = "%d lines of this log were dropped, since nobody read it"
                self._lines.put_nowait(_line(text, self._dropped))
                self._dropped = 0
            self._lines.put_nowait(record)
        except queue.Full:
            self._dropped += 1

    def flush(self) -> None:
        """Returns when all lines so far are written, or soon."""
        written = threading.Event()
        try:
            self._lines.put(written, timeout=LAST_S)
        except queue.Full:
            return
        written.wait(LAST_S)

    def _write(self) -> None:
        while True:
            match self._lines.get():
                case threading.Event() as written:
                    written.set()
                case logging.LogRecord() as record:
                    for handler in self._handlers:
                        if record.levelno >= handler.level:
                            handler.handle(record)


def _line(text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, arguments, None)


@contextmanager
def logging_aside() -> Iterator[None]:
    """While the block lasts."""
    root = logging.getLogger()
    before = root.handlers
    aside = _Aside(before)
    root.handlers = [aside]
    try:
        yield
    finally:
        aside.flush()
        root.handlers = before
