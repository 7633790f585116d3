"""`motionscribe run` as a process of its own, with the feeds of number_feed.py, which a test may send signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from tests.support.waiting import wait_until

ROOT = Path(__file__).parents[2]


class Run:
    """What it says, and how it ends."""

    def __init__(self, feeds: Path, *options: str) -> None:
        self._log, self._out = feeds.with_suffix(".log"), feeds.with_suffix(".out")
        command = [sys.executable, "-m", "tests.support.number_feed", "run", str(feeds), *options]
        # a test run in the background of a shell ignores interrupts, and its children would too
        heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        with self._log.open("w") as log, self._out.open("w") as out:
            self.process = subprocess.Popen(
                command, stdout=out, stderr=log, cwd=ROOT, env=os.environ, preexec_fn=heed, text=True
            )

    @property
    def lines(self) -> list[str]:
        """Of its log."""
        return self._log.read_text().splitlines()

    @property
    def events(self) -> list[str]:
        """What it printed."""
        return self._out.read_text().splitlines()

    def says(self, text: str, times: int = 1) -> None:
        """Waits for a line with `text`."""
        try:
            wait_until(lambda: sum(text in line for line in self.lines) >= times)
        except AssertionError:
            raise AssertionError(f"expected {text!r} in\n" + "\n".join(self.lines)) from None

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal, returns the exit status."""
        self.process.send_signal(number)
        return self.process.wait(20)


@contextmanager
def running(feeds: Path, *options: str) -> Iterator[Run]:
    """Gone with the test."""
    run = Run(feeds, *options)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
