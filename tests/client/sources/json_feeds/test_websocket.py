"""Joints as JSON from a WebSocket server: the simulator's, and servers of the test that misbehave."""

import itertools
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest
import trustme
from tests.support.played_feed import heard, heard_of, stream_played
from tests.support.redis_server import free_port
from tests.support.waiting import wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from motionscribe.demo.performer import perform
from motionscribe.errors import NotFound
from motionscribe.sources.json_feeds.websocket import WebSocketReader, open_ws, open_wss
from motionscribe.sources.json_feeds.websocket_simulator import KEPT, WebSocketSender
from motionscribe.sources.sending import Actor
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.skeleton import Skeleton

RECORDING = perform([("walk", 0.5)], rate_hz=60).recording
FRAMES = 250
"""Of 15 kB each: more than the buffers of sockets hold."""
FRAME = '{"joints": {"a": [1, 2, 3]}}'


@contextmanager
def serving(
    handler: Callable[[ServerConnection], None], port: int = 0, tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """The port of a server on loopback."""
    with serve(handler, "127.0.0.1", port, ssl=tls) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.socket.getsockname()[1]
        finally:
            server.shutdown()
            thread.join(10)


def test_a_recording_arrives_where_it_was() -> None:
    port = free_port()
    address = f"127.0.0.1:{port}/joints"
    moments = heard_of(
        WebSocketReader("ws", f"//{address}"), [RECORDING], lambda: WebSocketSender([RECORDING], address)
    )
    assert [moment.time_us for moment in moments] == RECORDING.timestamps_us.tolist()
    assert {body.person for moment in moments for body in moment.bodies} == {"1"}
    places = [moment.bodies[0].values.reshape(-1, 3) for moment in moments]
    np.testing.assert_allclose(places, Actor(RECORDING).places, atol=1e-4)


def test_text_and_bytes_are_frames_and_the_rest_is_strange() -> None:
    asked: list[str] = []

    def handler(connection: ServerConnection) -> None:
        assert connection.request
        asked.append(connection.request.path)
        for message in (FRAME, FRAME.encode(), "hello", b"\xff", "[" * 10_000, FRAME):
            connection.send(message)
        connection.recv()

    with serving(handler) as port:
        reader = WebSocketReader("ws", f"127.0.0.1:{port}/a/b?c=d")
        assert len(list(heard(reader, 3))) == 3
    assert (asked, reader.strange) == (["/a/b?c=d"], 3)


def test_who_waits_can_stop_while_strange_messages_come() -> None:
    def handler(connection: ServerConnection) -> None:
        for _ in range(20):
            connection.send("hello")
        connection.recv()

    with serving(handler) as port:
        reader = WebSocketReader("ws", f"127.0.0.1:{port}")
        with closing(reader.moments()) as moments:
            pauses = [reader.strange for moment in itertools.islice(moments, 20) if moment is None]
    assert len({*pauses}) > 15


def test_a_message_that_is_too_large_ends_the_connection_and_the_next_one_counts() -> None:
    connections: list[ServerConnection] = []

    def handler(connection: ServerConnection) -> None:
        connections.append(connection)
        with suppress(ConnectionClosed):
            connection.send("x" * (1 << 20 | 1) if len(connections) == 1 else FRAME)
            connection.recv()

    with serving(handler) as port:
        reader = WebSocketReader("ws", f"127.0.0.1:{port}")
        assert len(list(heard(reader, 1))) == 1
    assert (len(connections), reader.strange) == (2, 1)


def test_a_server_that_is_restarted_is_found_again(caplog: pytest.LogCaptureFixture) -> None:
    def handler(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            while True:
                connection.send(FRAME)
                time.sleep(0.01)

    port = free_port()
    reader = WebSocketReader("ws", f"127.0.0.1:{port}")
    moments = heard(reader, 10**6)
    with serving(handler, port):
        before = [next(moments) for _ in range(5)]
    with caplog.at_level(logging.WARNING), serving(handler, port):
        while next(moments).arrived_us < before[-1].arrived_us + 200_000:
            pass
        assert len([next(moments) for _ in range(5)]) == 5
        moments.close()


def test_who_does_not_speak_websocket_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    with peer:
                        peer.recv(1000)
                        peer.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        with closing(WebSocketReader("ws", f"127.0.0.1:{port}").moments()) as moments:
            assert [next(moments) for _ in range(8)] == [None] * 8
    (record,) = caplog.records
    assert "404" in record.message
    assert f"127.0.0.1:{port}" in record.message


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        bytes(range(256)) * 8,
        b"HTTP/1.1 101 " + b"a" * 100_000,
        b"HTTP/1.1 302 Found\r\nLocation: ws://[::bad/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    ],
    ids=["nothing", "noise", "a long line", "to no address", "to another protocol"],
)
def test_whatever_the_first_answer_is_it_is_called_again(answer: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        calls = list[str]()

        def serve_noise() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    calls.append("")
                    with peer, suppress(OSError):
                        peer.recv(1000)
                        peer.sendall(answer)

        threading.Thread(target=serve_noise, daemon=True).start()
        with closing(WebSocketReader("ws", f"127.0.0.1:{server.getsockname()[1]}").moments()) as moments:
            wait_until(lambda: next(moments) is None and len(calls) > 1)
    assert all(len(record.message) < 300 and not record.exc_info for record in caplog.records)


@pytest.mark.parametrize("trusted", [True, False])
def test_tls_needs_a_certificate_that_the_system_trusts(
    trusted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    authority, tls = trustme.CA(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    (authority if trusted else trustme.CA()).cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def handler(connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            connection.send(FRAME)
            connection.recv()

    with serving(handler, tls=tls) as port:
        reader = WebSocketReader("wss", f"127.0.0.1:{port}")
        if trusted:
            assert len(list(heard(reader, 1))) == 1
            return
        with closing(reader.moments()) as moments:
            assert next(moments) is None
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.records[0].message


@pytest.mark.parametrize("host", ["a..b", 64 * "a"])
def test_what_is_no_host(host: str) -> None:
    with pytest.raises(NotFound, match="expected the name of a host, got"):
        open_ws(f"{host}:80")
    with pytest.raises(NotFound, match="expected the name of a host, got"):
        WebSocketSender([RECORDING], f"{host}:80")


@pytest.mark.parametrize("address", ["", "//", "127.0.0.1:70000/", "host:port", "//:80", "host/#part"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(NotFound, match="expected ws:HOST:PORT/PATH, got ws:"):
        open_ws(address)
    with pytest.raises(NotFound, match="expected wss:HOST:PORT/PATH"):
        open_wss(address)
    with pytest.raises(NotFound, match="expected ws:HOST:PORT"):
        WebSocketSender([RECORDING], address)


def test_a_slow_client_stops_nobody_and_loses_frames() -> None:
    joints = tuple(f"{n:0120}" for n in range(100))
    skeleton = Skeleton("large", joints, (-1,) * 100, "positions", "m", 1.0, "y", 30.0)
    frame = np.random.default_rng(1).normal(0, 1, (1, 300)).astype(np.float32)
    large = Recording("large", frame, even_times(1, 30.0), skeleton)
    port, opened, times = free_port(), list[WebSocketSender](), list[int]()
    opening = threading.Thread(target=lambda: opened.append(WebSocketSender([large], f"127.0.0.1:{port}")))
    opening.start()
    wait_until(lambda: reachable(port))
    with connect(f"ws://127.0.0.1:{port}", sock=sluggish(port), max_queue=1, compression=None) as slow:
        opening.join(10)
        (sender,) = opened
        moments = heard(WebSocketReader("ws", f"127.0.0.1:{port}"), FRAMES)
        reading = threading.Thread(target=lambda: times.extend(moment.time_us for moment in moments))
        reading.start()
        wait_until(lambda: sender.clients == 2)
        for n in range(FRAMES):
            sender.send(n * 1000, [0])
            wait_until(lambda n=n: len(times) > n - KEPT // 2)  # type: ignore[misc]  # mypy wants no default here
        reading.join(10)
        sender.close()
        got = []
        with suppress(ConnectionClosed):
            while True:
                got.append(slow.recv())
    assert times == [n * 1000 for n in range(FRAMES)]
    assert 0 < len(got) < FRAMES


def sluggish(port: int) -> socket.socket:
    """A connection that takes little in advance."""
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", port))
    return slow


def reachable(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_without_its_extra_the_command_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets.sync.client", None)
    for make in (lambda: open_ws("a:1"), lambda: open_wss("a:1"), lambda: WebSocketSender([RECORDING], "a:1")):
        with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[websocket\]"'):
            make()


def test_the_command_streams_what_a_simulator_sends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = stream_played(monkeypatch, f"ws:127.0.0.1:{free_port()}/joints", [RECORDING])
    assert [opened.stream_id for opened in server.opens] == ["stage-1"]
    assert list(server.opens[0].skeleton.joints) == list(RECORDING.skeleton.joints)
    assert capsys.readouterr().out
