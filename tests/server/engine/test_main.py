"""A worker's loop at one end of a pair of sockets: it ends with the connection, and on bytes that are no orders."""

import socket
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from motionscribe_models.recordings import even_times
from motionscribe_models.repository import read_bundle
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine import main
from motionscribe_server.engine.codec import CodecError, Decoder, encode
from motionscribe_server.engine.main import serve
from motionscribe_server.engine.messages import (
    Ask,
    CloseSession,
    FromWorker,
    ListClusters,
    Message,
    OpenSession,
    Ping,
    Ready,
    Reply,
    SessionClusters,
    Start,
    StartFailed,
    TakeFrames,
    Turn,
)
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions


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


def test_all_orders_that_came_are_taken_before_a_turn_and_a_ping_is_answered(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main, "RECEIVED", 16)  # the orders come in many pieces
    skeleton, name = read_bundle(tiny_model).manifest.skeleton, tiny_model.parent.name
    frames = np.zeros((100, skeleton.width), np.float32)
    block = CheckedBlock(FrameBlock(1, frames, even_times(len(frames), skeleton.rate_hz)))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = Thread(target=serve, args=(theirs,))
        worker.start()
        decoder, received = Decoder(FromWorker), list[Message]()

        def receive(kind: type, count: int = 1) -> None:
            while sum(isinstance(message, kind) for message in received) < count:
                received.extend(decoder.feed(ours.recv(1 << 16)))

        ours.sendall(encode([Start(tiny_model.parent.parent, None, ((name, "1"),), "fp32", (1,), 1, "error")]))
        receive(Ready)
        begin = Ask(1, OpenSession(1, f"{name}/1", SessionOptions(), SessionClusters(1, ())))
        ours.sendall(encode([begin]) + encode([TakeFrames(1, block)]) + encode([Ask(2, ListClusters(1))]))
        receive(Reply, 2)
        replied = max(at for at, message in enumerate(received) if isinstance(message, Reply))
        assert not any(isinstance(message, Turn) and message.streams for message in received[:replied])
        received.clear()
        ours.sendall(encode([Ping()]))
        receive(Turn)
        ours.shutdown(socket.SHUT_WR)
        worker.join()
