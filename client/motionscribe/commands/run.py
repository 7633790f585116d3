"""`motionscribe run`: all feeds of a file at a time, for as long as it takes. None of them stops another.

SIGHUP reads the file again; SIGTERM and SIGINT end all feeds well, and a second one ends the program at once.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType

from motionscribe.errors import BadFile
from motionscribe.events import Event
from motionscribe.feeds.feed_file import FeedFile, read_feeds
from motionscribe.feeds.wall import Wall
from motionscribe.sinks import JsonLines, Sink, StreamInfo
from motionscribe_proto.names import escape

log = logging.getLogger(__name__)

LEVELS = {logging.ERROR: "<3>", logging.WARNING: "<4>"}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Describes the command."""
    parser = commands.add_parser("run", help="stream all feeds of a file", description=__doc__)
    parser.add_argument("file", type=Path, metavar="FEEDS.toml", help="a table [[feed]] for each feed")
    parser.add_argument("--check", action="store_true", help="only check the file")
    parser.add_argument("--json", action="store_true", help="print events as JSON lines")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Returns when it is told to, or all feeds have ended for good: 1 where one of them has failed."""
    wanted = read_feeds(args.file)
    if args.check:
        count = len(wanted.feeds)
        print(escape(f"{args.file}: {count} feed{'s' * (count != 1)}"))
        return 0
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    return asyncio.run(_run(args.file, wanted, as_json=args.json))


async def _run(path: Path, wanted: FeedFile, *, as_json: bool) -> int:
    orders = _Orders()
    output = _Output(lambda: orders.give("end"))
    wall = Wall([output.open] if as_json else [])
    await wall.show(wanted)
    watching = asyncio.create_task(wall.watch())
    watching.add_done_callback(lambda _: orders.give("end"))
    while await orders.next() != "end":
        try:
            await wall.show(read_feeds(path))
        except (BadFile, OSError) as error:
            log.error("%s; everything goes on as it was", error)
    log.info("all feeds end; a second signal ends at once")
    failed = wall.failed if watching.done() else False
    watching.cancel()
    await wall.end()
    if output.is_gone:
        raise BrokenPipeError
    return 1 if failed else 0


class _Orders:
    """What signals say, in their order: "reload" or "end". A second "end" of theirs ends the process."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[str] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._ending = False
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        if hasattr(signal, "SIGHUP"):  # not on Windows
            signal.signal(signal.SIGHUP, lambda *_: self.give("reload"))

    def give(self, order: str) -> None:
        """From any thread, or a handler of signals."""
        with suppress(RuntimeError):  # the loop is closed: all has ended
            self._loop.call_soon_threadsafe(self._queue.put_nowait, order)

    async def next(self) -> str:
        """Waits for it."""
        return await self._queue.get()

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self._ending:
            os._exit(128 + number)
        self._ending = True
        self.give("end")


class _Output:
    """Standard output, to which the sinks of all feeds write from threads of their own."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self.is_gone = False
        """Whoever reads it has enough."""
        self._gone = gone
        self._lock = threading.Lock()

    def open(self, info: StreamInfo) -> Sink:
        """A MakeSink."""
        return _Lined(self, JsonLines(sys.stdout, info.stream_id))

    def write(self, sink: Sink, event: Event) -> None:
        """A line, whole."""
        with self._lock:
            if self.is_gone:
                return
            try:
                sink.write(event)
            except BrokenPipeError:
                self.is_gone = True
                self._gone()


class _Lined(Sink):
    def __init__(self, output: _Output, lines: JsonLines) -> None:
        self._output = output
        self._lines = lines

    def write(self, event: Event) -> None:
        self._output.write(self._lines, event)

    def close(self) -> None:
        """Does nothing."""


class _Lines(logging.Formatter):
    """A record as a line, with the mark by which journald knows warnings. What is not printable is escaped."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        mark = LEVELS.get(record.levelno, "") if "JOURNAL_STREAM" in os.environ else ""
        return mark + escape(record.message)
