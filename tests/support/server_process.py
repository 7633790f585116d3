"""motionscribe-server as a process of its own, which a test may treat as it likes."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

COMMAND = [sys.executable, "-m", "motionscribe_server"]


def environment() -> dict[str, str]:
    """Ours, without settings of a server."""
    return {key: value for key, value in os.environ.items() if not key.startswith("MOTIONSCRIBE_")}


def workers_of(process: int) -> list[int]:
    """The children of a process; none where it is gone."""
    try:
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def are_gone(processes: Iterable[int]) -> bool:
    """Whether none of these runs: gone, or dead and not yet waited for by whoever adopted it."""
    for process in processes:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if state != "Z":
            return False
    return True


class Process:
    """A server process that answers on `port`."""

    def __init__(self, folder: Path, models: Path, *flags: str) -> None:
        self.log = folder / "log"
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "--models", str(models), "--port", "0", "--model-batch-sizes", "1", *flags],
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                env=environment(),
                text=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", line)
        assert found, f"{line!r}, log: {self.log.read_text()}"
        self.port = int(found[1])

    @property
    def workers(self) -> list[int]:
        """Its worker processes."""
        return workers_of(self.process.pid)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Sends a signal, returns the exit status."""
        self.process.send_signal(number)
        _, _ = self.process.communicate(timeout=30)
        return self.process.returncode


@contextlib.contextmanager
def serving_process(folder: Path, tiny_model: Path, *flags: str) -> Iterator[Process]:
    """A server of one shipped model."""
    with serving_all(folder, tiny_model.parent.parent, "--load", tiny_model.parent.name, *flags) as server:
        yield server


@contextlib.contextmanager
def serving_all(folder: Path, models: Path, *flags: str) -> Iterator[Process]:
    """A server of all models in a folder."""
    server = Process(folder, models, *flags)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end(signal.SIGKILL)
