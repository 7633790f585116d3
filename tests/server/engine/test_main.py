"""A worker's loop at one end of a pair of sockets: it ends with the connection, and on bytes that are no orders."""

import socket
from pathlib import Path

import pytest

from motionscribe_server.engine.codec import CodecError, Decoder, encode
from motionscribe_server.engine.main import serve
from motionscribe_server.engine.messages import CloseSession, FromWorker, Message, Start, StartFailed


def answered(sent: bytes) -> list[Message]:
    """What a worker answers to bytes after which the connection ends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(sent)
        ours.shutdown(socket.SHUT_WR)
        serve(theirs)
        theirs.shutdown(socket.SHUT_WR)
        return Decoder(FromWorker).feed(ours.recv(1 << 16))


def test_a_server_that_ends_before_it_said_anything_ends_the_worker() -> None:
    assert answered(b"") == []
    assert answered(encode([])) == []
    assert answered(encode([CloseSession(1)])[:-1]) == []


def test_models_that_are_not_there_are_answered(tmp_path: Path) -> None:
    (failed,) = answered(encode([Start(tmp_path, None, (("none", "1"),), "auto", (1,), 1, "error")]))
    assert isinstance(failed, StartFailed)
    assert "none" in str(failed.error)


@pytest.mark.parametrize("sent", [b"\xff" * 8, encode([StartFailed(ValueError())])])
def test_bytes_that_are_no_orders_end_the_worker(sent: bytes) -> None:
    with pytest.raises(CodecError):
        answered(sent)
