"""Server processes that come and go."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

MODEL = "cmu-expmap"


def free_port() -> int:
    """One that nobody listens to."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


class Process:
    """A server of the shipped model on `port`, with its store at `store`; it listens when this returns."""

    def __init__(self, port: int, store: Path, *options: str) -> None:
        command = [sys.executable, "-m", "motionscribe_server", "--load", MODEL, "--port", str(port)]
        self._command = [*command, "--storage-location", str(store), *options]
        self._log = store.parent / f"{port}.log"
        self.start()

    def start(self) -> None:
        """Again, after it has ended."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        assert self._process.stdout is not None
        if not self._process.stdout.readline():
            raise RuntimeError(f"expected a server that listens, got none; {self._log} says why")

    @property
    def id(self) -> int:
        """Of the serving process."""
        return self._process.pid

    @property
    def workers(self) -> list[int]:
        """The processes that compute."""
        return [int(child) for child in Path(f"/proc/{self.id}/task/{self.id}/children").read_text().split()]

    def kill(self) -> None:
        """SIGKILL: no time for a word. Workers end as their socket closes."""
        self._end(signal.SIGKILL)

    def kill_worker(self) -> None:
        """SIGKILL to one of those that compute, as soon as there is one."""
        while not (workers := self.workers):
            time.sleep(0.1)
        os.kill(workers[0], signal.SIGKILL)

    def stop_worker(self) -> None:
        """SIGSTOP to the oldest of those that compute: it keeps what it has, and says nothing any more."""
        os.kill(self.workers[0], signal.SIGSTOP)

    def drain(self) -> None:
        """SIGTERM, and wait."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.communicate()
