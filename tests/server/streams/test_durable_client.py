"""The client on durable streams: servers that are killed under it lose and repeat nothing, and a loss is told."""

import asyncio
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.serving import alone, motion, process_of, serving
from tests.support.waiting import until

from motionscribe import Backoff, Client
from motionscribe.errors import ServerFailed
from motionscribe.sources.recording import RecordingSource
from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Event, Label
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.options import SessionOptions


def lasting(events: list[Event]) -> list[Event]:
    """All that may not change."""
    return [event for event in events if not (isinstance(event, Label) and not event.final)]


@contextmanager
def killed_now_and_then(
    models: Path, folder: Path, every_s: tuple[float, float], seed: int
) -> Iterator[tuple[int, list[float]]]:
    """The port of a server that is killed and started again; when it was killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "motionscribe_server",
        "--models",
        str(models),
        "--load",
        "cmu-expmap",
        "--port",
        str(port),
    ]
    command += ["--storage-location", str(folder / "store.sqlite"), "--workers", "1", "--model-batch-sizes", "1,4"]
    kills, over, rng = list[float](), threading.Event(), random.Random(seed)

    def keep_going() -> None:
        while not over.is_set():
            with (
                (folder / "log").open("a") as log,
                subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as process,
            ):
                assert process.stdout is not None
                process.stdout.readline()
                over.wait(rng.uniform(*every_s))
                process.send_signal(signal.SIGKILL)
                kills.append(time.monotonic())

    thread = threading.Thread(target=keep_going)
    thread.start()
    try:
        yield port, kills
    finally:
        over.set()
        thread.join()


class HeldBack(RecordingSource):
    """Keeps the last frame of a recording until `may_end`, however fast or slow the computer is."""

    def __init__(self, recording: Recording, may_end: Callable[[], bool]) -> None:
        super().__init__(recording)
        self.frames = len(recording.frames)
        self.may_end = may_end

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        async for block in super().blocks(size):
            while block.next_seq > self.frames and not self.may_end():
                await asyncio.sleep(0.05)
            yield block


def test_killed_servers_lose_and_repeat_nothing(tiny_model: Path, tmp_path: Path) -> None:
    recordings: list[Recording] = []
    received: dict[int, list[Event]] = {}

    async def skeleton() -> list[list[Event]]:
        async with serving(tiny_model, tmp_path) as served:
            recordings.extend(motion(served.skeleton, 10, seed) for seed in range(2))
            return [alone(served, recording, SessionOptions(provisional=False)) for recording in recordings]

    expected = asyncio.run(skeleton())

    def listen(port: int, number: int, may_end: Callable[[], bool]) -> None:
        with Client(f"127.0.0.1:{port}", backoff=Backoff(attempts=1000)) as client:
            while True:
                try:
                    source = HeldBack(recordings[number], may_end)
                    stream = client.stream(source, stream_id=f"s{number}", durable=True, realtime=1.0)
                    break
                except ConnectionError:  # not up yet
                    time.sleep(0.1)
            received[number] = list(stream)

    with killed_now_and_then(tiny_model.parent.parent, tmp_path, (2.0, 4.0), 0) as (port, kills):
        arguments = [(port, number, lambda: len(kills) >= 2) for number in range(len(recordings))]
        threads = [threading.Thread(target=listen, args=each) for each in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert len(kills) >= 2
    for number, events in received.items():
        assert lasting(events) == expected[number]
    assert len(received) == len(recordings)


def test_a_client_is_told_when_a_durable_stream_is_lost(tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording = motion(served.skeleton, 30)

            def listen() -> None:
                with Client(f"127.0.0.1:{served.server.port}") as client:
                    list(client.stream(recording, stream_id="lab", durable=True, realtime=1.0))

            listening = asyncio.create_task(asyncio.to_thread(listen))
            find = served.server.registry.find
            await until(lambda: (stream := find("lab")) is not None and stream.received_seq > 0)
            stream = find("lab")
            assert stream is not None
            connection = sqlite3.connect(tmp_path / "names.sqlite")
            connection.execute("DELETE FROM durable")
            connection.commit()
            connection.close()
            process_of(stream.link.worker).kill()
            with pytest.raises(ServerFailed, match="has lost the durable stream 'lab'"):
                await listening

    asyncio.run(run())
