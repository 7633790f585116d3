"""Signals of daily life, to a server that serves, drains or starts: it ends as it says, and leaves no worker behind."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from tests.support.raw_client import RawClient
from tests.support.server_process import COMMAND, Process, are_gone, environment, serving_process, workers_of
from tests.support.waiting import PATIENCE_S, wait_until

from motionscribe_models.manifest import read_manifest
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import skeleton_to_message
from motionscribe_proto.segmentation_pb2_grpc import SegmentationStub
from motionscribe_server import command
from motionscribe_server.command import EXIT_NOT_DRAINED
from motionscribe_server.settings import Settings


def serves(port: int) -> bool:
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        answer = HealthStub(channel).Check(HealthCheckRequest(), timeout=PATIENCE_S)
        return bool(answer.status == HealthCheckResponse.SERVING)


@contextmanager
def held(server: Process) -> Iterator[None]:
    """The server cannot end before its grace: a client does not read that its health ends."""
    with RawClient(server.port, window=0) as frozen:
        frozen.call("/grpc.health.v1.Health/Watch", end=True)
        assert serves(server.port)  # and the call before is there
        yield


def is_worker(process: int) -> bool:
    """No more the fork for whose end the server waits."""
    return b"motionscribe_server.engine.main" in Path(f"/proc/{process}/cmdline").read_bytes()


def begin_drain(server: Process, number: int) -> None:
    server.process.send_signal(number)
    wait_until(lambda: "draining" in server.log.read_text())


@pytest.fixture
def starting(tiny_model: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A server whose workers are started and stand still, so that it does not come to serve."""
    flags = ["--models", str(tiny_model.parent.parent), "--port", "0", "--workers", "2"]
    with subprocess.Popen(
        [*COMMAND, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=environment(), text=True
    ) as process:
        try:
            wait_until(lambda: [is_worker(child) for child in workers_of(process.pid)] == [True, True])
            for worker in workers_of(process.pid):
                os.kill(worker, signal.SIGSTOP)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_start_at_once(starting: subprocess.Popen[str], number: int) -> None:
    workers = workers_of(starting.pid)
    starting.send_signal(number)
    said, logged = starting.communicate(timeout=PATIENCE_S)
    assert (starting.returncode, said) == (0, "")
    assert "Traceback" not in logged
    assert are_gone(workers)


def test_a_server_that_is_killed_while_it_starts_leaves_no_worker(starting: subprocess.Popen[str]) -> None:
    workers = workers_of(starting.pid)
    starting.kill()
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    wait_until(lambda: are_gone(workers))


def test_a_second_interrupt_ends_server_and_workers_at_once(tiny_model: Path, tmp_path: Path) -> None:
    with serving_process(tmp_path, tiny_model, "--workers", "2", "--grace-s", "600") as server, held(server):
        workers = server.workers
        os.kill(workers[0], signal.SIGSTOP)
        begin_drain(server, signal.SIGINT)
        assert server.end(signal.SIGINT) == 128 + signal.SIGINT
        wait_until(lambda: are_gone(workers))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_the_same_signal_again_changes_nothing(tiny_model: Path, tmp_path: Path, number: int) -> None:
    with serving_process(tmp_path, tiny_model, "--workers", "1", "--grace-s", "1") as server, held(server):
        begin_drain(server, number)
        assert server.end(number) == 0
        assert server.log.read_text().rstrip().endswith("drained")


def test_a_worker_that_stands_still_does_not_stop_a_drain(tiny_model: Path, tmp_path: Path) -> None:
    with serving_process(tmp_path, tiny_model, "--workers", "1", "--grace-s", "1") as server:
        released = threading.Event()
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            skeleton = skeleton_to_message(read_manifest(tiny_model).skeleton)

            def requests() -> Iterator[pb.StreamRequest]:
                yield pb.StreamRequest(open=pb.Open(stream_id="lab", skeleton=skeleton, delivery=pb.DELIVERY_DURABLE))
                released.wait(PATIENCE_S)

            call = SegmentationStub(channel).Stream(requests())
            assert next(call).opened.next_seq == 1
            workers = server.workers
            os.kill(workers[0], signal.SIGSTOP)
            assert server.end() == 0
            released.set()
            with pytest.raises(grpc.RpcError) as caught:
                list(call)
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
        assert are_gone(workers)
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("busy", [False, True], ids=["idle", "busy"])
def test_a_server_that_is_killed_leaves_no_worker(tiny_model: Path, tmp_path: Path, busy: bool) -> None:
    with serving_process(tmp_path, tiny_model, "--workers", "2") as server:
        workers = server.workers
        assert len(workers) == 2
        if busy:  # amid a batch that takes for ever
            os.kill(workers[0], signal.SIGSTOP)
        server.end(signal.SIGKILL)
        wait_until(lambda: are_gone(workers))


def test_under_nohup_a_terminal_that_closes_changes_nothing(tiny_model: Path, tmp_path: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        server = Process(tmp_path, tiny_model.parent.parent, "--workers", "1")
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        server.process.send_signal(signal.SIGHUP)
        assert serves(server.port)
        assert server.end() == 0
    finally:
        server.process.kill()


ON_TERMINAL = """if True:
    import fcntl, os, sys, termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("how", ["closes", "interrupts"])
def test_a_terminal_ends_the_server_and_says_nothing_to_workers(tiny_model: Path, tmp_path: Path, how: str) -> None:
    ours, theirs = os.openpty()
    flags = ["--models", str(tiny_model.parent.parent), "--port", "0", "--workers", "2"]
    with subprocess.Popen(
        [sys.executable, "-c", ON_TERMINAL, *COMMAND, *flags],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment(),
        start_new_session=True,
    ) as process:
        try:
            os.close(theirs)
            said = b""
            while b"listening on" not in said:
                said += os.read(ours, 1 << 16)
            workers = workers_of(process.pid)
            assert len(workers) == 2
            if how == "closes":
                os.close(ours)
            else:
                os.write(ours, b"\x03")
            assert process.wait(PATIENCE_S) == 0
            assert are_gone(workers)
            if how == "interrupts":
                said += os.read(ours, 1 << 16)
                assert b"drained" in said
                assert b"Traceback" not in said
                os.close(ours)
        finally:
            process.kill()


STUCK_STORE = """if True:
    import sys, time
    from motionscribe_server import command
    from motionscribe_server.storage.async_store import AsyncStore
    async def close(store):
        await store.run(lambda _: time.sleep(600))
    AsyncStore.close = close
    command.CLOSING_S = 0.5
    sys.exit(command.run(sys.argv[1:]))
"""


def test_a_store_that_answers_nothing_does_not_stop_the_end(tiny_model: Path, tmp_path: Path) -> None:
    flags = ["--models", str(tiny_model.parent.parent), "--port", "0", "--workers", "1", "--grace-s", "0.5"]
    with subprocess.Popen(
        [sys.executable, "-c", STUCK_STORE, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
        env=environment(),
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline().startswith("listening on")
            workers = workers_of(process.pid)
            process.terminate()
            _, logged = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == EXIT_NOT_DRAINED
            assert "expected to close within 0.5 s of the grace" in logged
            wait_until(lambda: are_gone(workers))
        finally:
            process.kill()


def test_an_interrupt_while_models_are_read_ends_the_command(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_settings: Settings) -> NoReturn:
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command, "read_models", interrupted)
    assert command.run(["--models", str(tiny_model.parent.parent), "--port", "0"]) == 128 + signal.SIGINT
