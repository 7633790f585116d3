"""A worker in a process of its own: it starts, answers, and ends whatever goes wrong on either side."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.support.waiting import until

from motionscribe_models.errors import UnknownModelError
from motionscribe_server.engine.messages import CloseSession, FromWorker, Ready, Start, StartFailed
from motionscribe_server.workers.subprocess_transport import SubprocessTransport


class Inbox:
    """A Receiver that keeps what comes."""

    def __init__(self) -> None:
        self.messages: list[FromWorker] = []
        self.ends = 0

    def receive(self, messages: Sequence[FromWorker]) -> None:
        self.messages += messages

    def ended(self) -> None:
        self.ends += 1


def start_of(tiny_model: Path, version: str = "1") -> Start:
    return Start(tiny_model.parent.parent, None, ((tiny_model.parent.name, version),), "fp32", (1,), 1, "error")


def test_it_starts_answers_and_ends(tiny_model: Path) -> None:
    async def run() -> None:
        transport, inbox = SubprocessTransport(), Inbox()
        assert not transport.alive
        transport.close()
        await transport.wait_closed()  # nothing was spawned
        await transport.spawn(inbox)
        assert transport.alive
        transport.send([start_of(tiny_model)])
        await until(lambda: bool(inbox.messages))
        (ready,) = inbox.messages
        assert isinstance(ready, Ready)
        assert [key for key, _ in ready.engines] == [f"{tiny_model.parent.name}/1"]
        transport.close()
        assert not transport.alive
        transport.send([CloseSession(1)])  # nobody is there: dropped
        transport.close()
        await transport.wait_closed()
        assert transport.process is not None
        assert transport.process.returncode == 0
        assert inbox.ends == 1

    asyncio.run(run())


def test_a_worker_that_cannot_load_its_model_says_why_and_ends(tiny_model: Path) -> None:
    async def run() -> None:
        transport, inbox = SubprocessTransport(), Inbox()
        await transport.spawn(inbox)
        transport.send([start_of(tiny_model, "99")])
        await until(lambda: inbox.ends == 1)
        (failed,) = inbox.messages
        assert isinstance(failed, StartFailed)
        assert isinstance(failed.error, UnknownModelError)
        assert not transport.alive
        await transport.wait_closed()

    asyncio.run(run())


def test_a_worker_that_sends_no_messages_is_ended(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        transport, inbox = SubprocessTransport(), Inbox()
        await transport.spawn(inbox)
        transport.data_received(b"HTTP/1.1 200 OK")
        assert not transport.alive
        await until(lambda: inbox.ends == 1)
        await transport.wait_closed()
        assert inbox.messages == []

    asyncio.run(run())
    assert "bytes that are no messages" in caplog.text
