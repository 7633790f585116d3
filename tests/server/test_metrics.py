"""What the port of metrics answers over HTTP, with and without a token, serving and draining."""

import asyncio
import socket
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.support.serving import serving
from tests.support.waiting import PATIENCE_S

from motionscribe_server import metrics
from motionscribe_server.stream_keys import digest


def get(port: int | None, path: str, token: str | None = None) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_health_needs_no_token_and_says_when_the_server_drains(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "tokens.toml").write_text(f'lab = "{digest("secret")}"\n')

    async def run() -> None:
        async with serving(
            tiny_model,
            tmp_path,
            server={"metrics_port": 0},
            security={"tokens": tmp_path / "tokens.toml"},
        ) as served:
            port = served.server.metrics_port
            assert await asyncio.to_thread(get, port, "/healthz") == (200, "serving\n")
            assert (await asyncio.to_thread(get, port, "/metrics"))[0] == 401
            assert (await asyncio.to_thread(get, port, "/metrics", "wrong"))[0] == 401
            assert "motionscribe_streams 0.0" in (await asyncio.to_thread(get, port, "/metrics", "secret"))[1]
            ended = asyncio.Event()
            drain = served.server.registry.drain

            async def drain_at_leisure() -> None:
                await drain()
                await ended.wait()

            served.server.registry.drain = drain_at_leisure  # type: ignore[method-assign]
            stopping = asyncio.create_task(served.stop())
            await asyncio.sleep(0)
            assert await asyncio.to_thread(get, port, "/healthz") == (503, "draining\n")
            ended.set()
            await stopping

    asyncio.run(run())


def test_a_connection_that_asks_nothing_is_closed(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics.QuietHandler, "timeout", 0.1)

    async def run() -> None:
        async with serving(tiny_model, tmp_path, server={"metrics_port": 0}) as served:
            with socket.create_connection(("127.0.0.1", served.server.metrics_port)) as silent:
                silent.settimeout(PATIENCE_S)
                assert await asyncio.to_thread(silent.recv, 1) == b""

    asyncio.run(run())


def test_metrics_and_administration_listen_on_loopback_only(tiny_model: Path, tmp_path: Path) -> None:
    settings = {"host": "0.0.0.0", "metrics_port": 0, "admin_port": 0}

    async def run() -> None:
        async with serving(tiny_model, tmp_path, server=settings, security={"plaintext": True}) as served:
            for port in (served.server.metrics_port, served.server.admin_port):
                socket.create_connection(("127.0.0.1", port)).close()
                with pytest.raises(ConnectionRefusedError):
                    socket.create_connection(("127.0.0.2", port))
            socket.create_connection(("127.0.0.2", served.server.port)).close()

    asyncio.run(run())
