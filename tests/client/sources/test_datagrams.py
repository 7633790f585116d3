"""Datagrams of a port: what comes, when, and whose port it is."""

import socket
from contextlib import closing

import pytest
from tests.support.udp_ports import free_port

from motionscribe.errors import NotFound
from motionscribe.feed_clock import now_us
from motionscribe.sources import datagrams as module
from motionscribe.sources.datagrams import datagrams, port_of


def test_what_comes_and_when() -> None:
    port = free_port()
    with closing(datagrams(("127.0.0.1", port))) as heard, socket.socket(type=socket.SOCK_DGRAM) as sender:
        assert next(heard) is None
        before = now_us()
        for packet in (b"one", b"", b"x" * 60_000):
            sender.sendto(packet, ("127.0.0.1", port))
            came = next(heard)
            assert came
            arrived_us, content, host = came
            assert (content, host) == (packet, "127.0.0.1")
            assert before <= arrived_us <= now_us()


def test_a_port_of_another_program_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FREE_S", 0.0)
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        with pytest.raises(OSError, match=f"UDP port {port}: "):
            next(datagrams(("127.0.0.1", port)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ("", 7)),
        ("99", ("", 99)),
        ("127.0.0.1:99", ("127.0.0.1", 99)),
        ("::1:99", ("::1", 99)),
        ("[::1]:99", ("::1", 99)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert port_of(text, 7) == expected


def test_what_can_be_no_host() -> None:
    with pytest.raises(NotFound, match="expected the name of a host"):
        port_of("a..b:99", 7)


@pytest.mark.parametrize("text", ["x", "0", "65536", "127.0.0.1", "host:", ":", "-1", "\u0663"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(NotFound, match="expected a port from 1 to 65535"):
        port_of(text, 7)
