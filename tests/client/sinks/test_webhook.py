"""A real web server that fails, hangs and comes back: order is kept, nothing lost, repeats are known by their id."""

import hashlib
import hmac
import json
import re
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from tests.support.messages import EVERY_EVENT, finals
from tests.support.redis_server import free_port
from tests.support.scripted_server import COLUMNS, ScriptedServer
from tests.support.waiting import wait_until
from tests.support.web_receiver import WebReceiver

from motionscribe import cli
from motionscribe.errors import BadFile
from motionscribe.sinks import StreamInfo, addresses, backlog, relay, webhook
from motionscribe.sinks.message import Message
from motionscribe.sinks.relay import Relay
from motionscribe.sinks.webhook import Webhook
from motionscribe_proto.events import to_dict

INFO = StreamInfo("gym/1", "a title", {7: "walk"})


def taken(receiver: WebReceiver) -> list[dict[str, Any]]:
    """Messages of the posts that were answered well, without repeats, which have the same id and the same content."""
    known: dict[str, dict[str, Any]] = {}
    for post in receiver.posts:
        for message in json.loads(post.body):
            assert known.setdefault(message["id"], message) == message
    return list(known.values())


def test_each_event_arrives_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(webhook.SECRET, raising=False)
    with WebReceiver() as receiver:
        place, address = addresses.parse_place(receiver.url)
        with place.open(address) as make:
            for event in EVERY_EVENT:
                make(INFO).write(event)
    came = taken(receiver)
    assert [message["id"] for message in came] == [f"{came[0]['id'][:-2]}-{n}" for n in range(1, len(came) + 1)]
    for message, event in zip(came, EVERY_EVENT, strict=True):
        name = {"name": "walk"} if "Label" in message["event"] else {}
        assert message == {"id": message["id"], "stream": "gym/1", **to_dict(event), **name}
    post = receiver.posts[0]
    assert post.path == "/hook?who=me"
    assert post.headers["Content-Type"] == "application/json"
    assert "X-Motionscribe-Signature" not in post.headers
    assert receiver.connections == 1


def test_the_signature_is_that_of_time_and_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(webhook.SECRET, "a secret")
    with WebReceiver() as receiver:
        place, address = addresses.parse_place(receiver.url)
        with place.open(address) as make:
            make(INFO).write(finals(1)[0])
    (post,) = receiver.posts
    found = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", post.headers["X-Motionscribe-Signature"])
    assert found
    assert abs(int(found[1]) - time.time()) < 60
    assert found[2] == hmac.new(b"a secret", found[1].encode() + b"." + post.body, hashlib.sha256).hexdigest()


def test_a_server_that_fails_hangs_and_comes_back_gets_all_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.2)
    events = iter(finals(60))
    with WebReceiver([(500, {}), (None, {}), (429, {"Retry-After": "0"}), (503, {})]) as receiver:
        under_way = Relay(receiver.url, Webhook(receiver.url))
        sink = under_way.sink(INFO)

        def write(count: int) -> None:
            for _ in range(count):
                sink.write(next(events))

        write(20)
        wait_until(lambda: under_way.state.sent == 20)
        receiver.free.clear()
        write(20)
        wait_until(lambda: under_way.state.down_since is not None)
        receiver.stop()
        receiver.free.set()
        write(10)
        wait_until(lambda: bool(list(backlog.folder().glob("*.sqlite"))))
        with receiver:
            wait_until(lambda: under_way.state.sent == 50)
            write(10)
            under_way.close()
            assert under_way.state.sent == 60
    assert [message["start_seq"] for message in taken(receiver)] == list(range(1, 61))
    assert under_way.state.repeated >= 20
    # a batch that is sent again has the same key, another batch another one
    keys = {post.headers["Idempotency-Key"]: post.body for post in receiver.posts}
    assert all(keys[post.headers["Idempotency-Key"]] == post.body for post in receiver.posts)
    assert len(keys) < len(receiver.posts)


def test_a_connection_that_was_closed_while_idle_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    with WebReceiver([(204, {}), (None, {})]) as receiver:
        under_way = Relay(receiver.url, Webhook(receiver.url))
        for event in finals(2):
            under_way.sink(INFO).write(event)
            wait_until(lambda: not under_way.state.waiting)
        under_way.close()
    assert [message["start_seq"] for message in taken(receiver)] == [1, 2]
    assert caplog.text == ""


@pytest.mark.parametrize(("status", "headers"), [(400, {}), (401, {}), (302, {"Location": "http://127.0.0.1:1/"})])
def test_what_the_server_refuses_is_told_and_the_next_goes_on(
    status: int, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with WebReceiver([(status, headers)]) as receiver:
        under_way = Relay(receiver.url, Webhook(receiver.url))
        for event in finals(2):
            under_way.sink(INFO).write(event)
            wait_until(lambda: not under_way.state.waiting)
        under_way.close()
    assert (under_way.state.refused, under_way.state.sent, len(receiver.posts)) == (1, 1, 2)
    # the path may be a secret
    assert f"http://127.0.0.1:{receiver.port} refuses events: it answers {status}" in caplog.text
    assert "hook" not in caplog.text


def test_retry_after_is_seconds_or_a_date() -> None:
    asked_s = webhook._asked_s  # noqa: SLF001  a date has whole seconds: no test could wait so exactly
    assert [asked_s(text) for text in (None, "", "soon", "7", formatdate(0, usegmt=True))] == [0, 0, 0, 7, 0]
    assert 50 < asked_s(formatdate(time.time() + 60, usegmt=True)) <= 60
    assert [asked_s(f"Mon, 01 Jan {year} 00:00:00 GMT") for year in ("9" * 20, "-1", "10000")] == [0, 0, 0]


@contextmanager
def raw_receiver(*pieces: bytes) -> Iterator[str]:
    """Answers each POST with these pieces, one every 20 ms, as long as the client hears them. Gives its URL."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = 0
            with suppress(OSError):
                while line := self.rfile.readline():
                    length = int(line.split(b":")[1]) if line.startswith(b"Content-Length") else length
                    if line == b"\r\n":
                        self.rfile.read(length)
                        for piece in pieces:
                            self.wfile.write(piece)
                            time.sleep(0.02)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


BROKEN = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 2 + b"HTTP/1.1 204 No Content\r\n\r\n"
TRICKLE = (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"a"] * 1000)
TRICKLED_CHUNK = (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *[b"0"] * 1000)


@pytest.mark.parametrize("pieces", [(BROKEN,), (EARLY,), TRICKLE, TRICKLED_CHUNK])
def test_the_status_counts_whatever_the_body_does(
    pieces: Sequence[bytes], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(webhook, "REST_S", 0.1)
    with raw_receiver(*pieces) as url:
        under_way = Relay(url, Webhook(url))
        for event in finals(2):
            under_way.sink(INFO).write(event)
            wait_until(lambda: not under_way.state.waiting)
        under_way.close()
    assert (under_way.state.sent, under_way.state.repeated, under_way.state.refused) == (2, 0, 0)
    assert caplog.text == ""


def test_headers_that_trickle_are_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.1)
    with raw_receiver(*[b"H"] * 1000) as url, pytest.raises(TimeoutError):
        Webhook(url).send([Message("r", 1, "s", finals(1)[0])])


@pytest.mark.parametrize(
    "url",
    [
        "https://",
        "https:/a",
        "http://me:secret@host/",
        "http://host:x/",
        "http://host/a b",
        "http://host/#a",
        "http://",
        "http://a..b/x",
        f"http://{'a' * 64}/",
        "http://host:0/",
        "http://host:65536/",
        "http://%zz/",
        "http://[::x]/",
    ],
)
def test_what_is_no_address_is_an_error_without_its_secrets(url: str) -> None:
    place, address = addresses.parse_place(url)
    with pytest.raises(BadFile, match=f"expected {place.key}://HOST/PATH") as caught, place.open(address):
        pass
    assert "secret" not in str(caught.value)


def test_a_certificate_that_nobody_trusts_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    trustme = pytest.importorskip("trustme")
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with WebReceiver() as receiver:
        receiver.wrap(context)
        under_way = Relay("https:", Webhook(receiver.url.replace("http:", "https:")))
        under_way.sink(INFO).write(finals(1)[0])
        wait_until(lambda: under_way.state.down_since is not None)
        assert receiver.posts == []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(relay, "PATIENCE_S", 0.0)
            under_way.close()
    assert "CERTIFICATE_VERIFY_FAILED" in caplog.text


def test_a_command_that_is_killed_leaves_what_waits_to_the_next(tmp_path: Path) -> None:
    recording = tmp_path / "machine.csv"
    recording.write_text(",".join(COLUMNS) + "\n" + "\n".join(f"{n % 5},0.5" for n in range(50)))
    receiver = WebReceiver(port=free_port())
    command = ["stream", str(recording), "--rate", "100", "--stream-id", "m1", "--json", "--to", receiver.url]
    with ScriptedServer() as server:
        command += ["--address", server.address]
        with subprocess.Popen(
            [sys.executable, "-m", "motionscribe", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        ) as killed:
            wait_until(lambda: b'-50"' in b"".join(log.read_bytes() for log in backlog.folder().glob("*-wal")))
            killed.send_signal(signal.SIGKILL)
            assert killed.stderr
            assert f"http://127.0.0.1:{receiver.port} is down, events wait" in killed.stderr.read().decode()
        with receiver:
            assert cli.main(command) == 0
    came = taken(receiver)
    assert [message["start_seq"] for message in came] == [*range(1, 51)] * 2
    assert len(came) == 100
    assert list(backlog.folder().iterdir()) == []
