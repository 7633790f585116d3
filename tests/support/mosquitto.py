"""A real Mosquitto on a port of loopback, of Debian's package mosquitto (`make test` installs it)."""

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import PATIENCE_S


@contextmanager
def mosquitto(folder: Path, port: int, settings: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Its process. It keeps nothing on disk; who connects needs no password unless `settings` says so."""
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin") or shutil.which("mosquitto")
    assert binary, "these tests need mosquitto: apt-get install mosquitto, or brew install mosquitto"
    lines = {"listener": f"{port} 127.0.0.1", "allow_anonymous": "true", "persistence": "false"}
    # else Mosquitto becomes a user who may not read the folder
    lines |= {"user": getpass.getuser(), **(settings or {})}
    configuration = folder / f"mosquitto-{port}.conf"
    configuration.write_text("".join(f"{key} {value}\n" for key, value in lines.items()))
    with subprocess.Popen([binary, "-c", str(configuration)], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + PATIENCE_S
            while not _answers(port):
                assert process.poll() is None, f"mosquitto ended with {process.returncode}: port {port} may be taken"
                assert time.monotonic() < deadline, f"mosquitto does not answer on port {port}"
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def _answers(port: int) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
