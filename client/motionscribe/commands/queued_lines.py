"""Events of many streams as JSON lines on standard output: whoever does not read them stops no stream.

Lines wait in a queue in front of the one thread that writes them. A full queue is waited for once, and a second long;
then lines are dropped, which is told, until half of it is free again.
"""

import io
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable

from motionscribe.events import Event
from motionscribe.sinks import JsonLines, Sink, StreamInfo

log = logging.getLogger(__name__)

MOST_LINES = 20_000
"""Some 5 MB."""
PATIENCE_S = 1.0


class QueuedLines:
    """Standard output, or another descriptor. `gone` is called when its reader has enough."""

    def __init__(self, gone: Callable[[], None], descriptor: int | None = None) -> None:
        self.is_gone = False
        """Whoever reads it has enough."""
        self.lost = 0
        """Lines that nobody got, about: threads count without a lock."""
        self._gone = gone
        # not sys.stdout: Python waits for its lock when it ends, which a thread that is stuck in it never gives back
        self._descriptor = sys.stdout.fileno() if descriptor is None else descriptor
        self._lines: queue.Queue[bytes] = queue.Queue(MOST_LINES)
        self._stuck = False
        threading.Thread(target=self._work, name="motionscribe-stdout", daemon=True).start()

    def open(self, info: StreamInfo) -> Sink:
        """A MakeSink."""
        return _Queued(self, info.stream_id)

    def put(self, line: str) -> None:
        """A whole line. Waits for room, a second at most."""
        if self._stuck and self._lines.qsize() > MOST_LINES // 2:
            self.lost += 1
            return
        try:
            self._lines.put(line.encode(), timeout=PATIENCE_S)
        except queue.Full:
            self.lost += 1
            if not self._stuck:
                self._stuck = True
                log.warning("standard output is not read: events are left out there until it is")
        else:
            if self._stuck:
                self._stuck = False
                log.warning("standard output is read again: it lacks %d events so far", self.lost)

    def end(self) -> None:
        """Returns when all is written, or nothing of it was within a second."""
        left = self._lines.unfinished_tasks
        while left and not self.is_gone:
            with self._lines.all_tasks_done:
                self._lines.all_tasks_done.wait_for(lambda: self._lines.unfinished_tasks < left, PATIENCE_S)  # noqa: B023
            if self._lines.unfinished_tasks >= left:
                self.lost += left
                break
            left = self._lines.unfinished_tasks
        if self.lost and not self.is_gone:
            log.warning("standard output lacks %d events: it was not read, or could not be written", self.lost)

    def _work(self) -> None:
        told = False
        while True:
            line = self._lines.get()
            try:
                while line and not self.is_gone:
                    line = line[os.write(self._descriptor, line) :]
            except BrokenPipeError:
                self.is_gone = True
                self._gone()
            except OSError as error:  # a full disk, for one
                self.lost += 1
                if not told:
                    log.warning("standard output is not written: %s", error)
                told = True
            finally:
                self._lines.task_done()


class _Queued(Sink):
    def __init__(self, output: QueuedLines, stream_id: str) -> None:
        self._output = output
        self._stream_id = stream_id

    def write(self, event: Event) -> None:
        line = io.StringIO()
        JsonLines(line, self._stream_id).write(event)
        self._output.put(line.getvalue())

    def close(self) -> None:
        """Does nothing."""
