"""A real Redis on a free port, of Debian's package redis-server (`make test` installs it)."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from tests.support.serving import PATIENCE_S


@contextmanager
def redis_server(folder: Path, port: int = 0) -> Iterator[str]:
    """Its URL. It keeps what it is told in `folder`."""
    binary = shutil.which("redis-server")
    assert binary, "these tests need redis-server: apt-get install redis-server, or brew install redis"
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--appendonly", "yes"]
    with subprocess.Popen([*command, "--save", ""], stdout=subprocess.DEVNULL) as process:
        try:
            with redis.Redis(port=port) as client:
                retrying = redis.retry.Retry(redis.backoff.ConstantBackoff(0.05), int(PATIENCE_S / 0.05))
                retrying.call_with_retry(client.ping, lambda error: None)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
