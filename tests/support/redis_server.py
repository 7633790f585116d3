"""A real Redis on a free port, of Debian's package redis-server (`make test` installs it)."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from tests.support.waiting import PATIENCE_S


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Its URL. It keeps what it is told in `folder`."""
    binary = shutil.which("redis-server")
    assert binary, "these tests need redis-server: apt-get install redis-server, or brew install redis"
    port = port or free_port()
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    with subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL) as process:
        try:
            _wait_for(process, port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    """Returns when `process` answers: it, not the server of another test process that took the port first."""
    deadline = time.monotonic() + PATIENCE_S
    with redis.Redis(port=port) as client:
        while True:
            assert process.poll() is None, f"redis-server ended with {process.returncode}: port {port} may be taken"
            assert time.monotonic() < deadline, f"redis-server does not answer on port {port}"
            try:
                answering = client.info("server")["process_id"]
            except redis.exceptions.ConnectionError:
                time.sleep(0.02)
                continue
            assert answering == process.pid, f"port {port} belongs to another Redis"
            return
