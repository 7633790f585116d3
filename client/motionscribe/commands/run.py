"""`motionscribe run`: all feeds of a file at a time, for as long as it takes. None of them stops another.

SIGHUP reads the file again; SIGTERM and SIGINT end all feeds well, and a second one ends the program at once.
"""

import argparse
import asyncio
import logging
import os
import signal
from contextlib import suppress
from pathlib import Path
from types import FrameType

from motionscribe.commands.queued_lines import QueuedLines
from motionscribe.feeds.checking import check_feeds
from motionscribe.feeds.feed_file import FeedFile, read_feeds
from motionscribe.feeds.wall import Wall
from motionscribe.threads import OwnThread
from motionscribe_proto.names import escape

log = logging.getLogger(__name__)

READING_S = 10.0
"""How long reading the file again may take."""
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
        check_feeds(args.file, wanted)
        count = len(wanted.feeds)
        print(escape(f"{args.file}: {count} feed{'s' * (count != 1)}"))
        return 0
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    return asyncio.run(_run(args.file, wanted, as_json=args.json))


async def _run(path: Path, wanted: FeedFile, *, as_json: bool) -> int:
    orders = _Orders()
    output = QueuedLines(lambda: orders.give("end"))
    wall = Wall([output.open] if as_json else [])
    await wall.show(wanted)
    watching = asyncio.create_task(wall.watch())
    watching.add_done_callback(lambda _: orders.give("end"))
    reader = OwnThread("motionscribe feeds file")
    while await orders.next() != "end":
        try:
            # a thousand feeds take a while, a pipe without a writer forever
            wanted = await asyncio.wait_for(reader.call(read_feeds, path), READING_S)
        except Exception as error:
            log.error("%s; everything goes on as it was", str(error) or repr(error))
            continue
        try:
            await wall.show(wanted)
        except Exception:
            log.exception("%s: not all of it is followed", path)
    log.info("all feeds end; a second signal ends at once")
    failed = wall.failed if watching.done() else False
    watching.cancel()
    await wall.end()
    output.end()
    if output.is_gone:
        raise BrokenPipeError
    return 1 if failed or wall.lost or output.lost else 0


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


class _Lines(logging.Formatter):
    """A record as a line, with the mark by which journald knows warnings. What is not printable is escaped."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        mark = LEVELS.get(record.levelno, "") if "JOURNAL_STREAM" in os.environ else ""
        return mark + escape(record.message)
