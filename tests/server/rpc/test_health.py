"""Health, which is open to all: what it says, what strangers can do with it, and that no drain waits for them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub
from tests.support.raw_client import RawClient
from tests.support.serving import Served, serving
from tests.support.waiting import PATIENCE_S, until

from motionscribe_server.rpc import health
from motionscribe_server.rpc.health import LONGEST_REQUEST, MOST_WATCHERS
from motionscribe_server.server import SERVICES

Code = grpc.StatusCode
CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"


def serve(tiny_model: Path, folder: Path, test: Callable[[Served, Any], Awaitable[None]], **groups: Any) -> None:
    async def run() -> None:
        async with serving(tiny_model, folder, **groups) as served:
            await test(served, HealthStub(served.channel))

    asyncio.run(run())


async def status(answer: Any) -> int:
    return int((await asyncio.wait_for(answer, PATIENCE_S)).status)


async def outcome(answer: Any) -> tuple[grpc.StatusCode, str]:
    try:
        await asyncio.wait_for(answer, PATIENCE_S)
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return Code.OK, ""


def test_every_service_and_the_server_are_checked_and_watched(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, stub: Any) -> None:
        watches = [stub.Watch(HealthCheckRequest(service=name)) for name in ("", *SERVICES)]
        for name, watch in zip(("", *SERVICES), watches, strict=True):
            assert await status(stub.Check(HealthCheckRequest(service=name))) == HealthCheckResponse.SERVING
            assert await status(watch.read()) == HealthCheckResponse.SERVING
        left, *others = watches
        left.cancel()  # nobody else loses anything by that
        stopping = asyncio.create_task(served.stop())
        for watch in others:
            assert await status(watch.read()) == HealthCheckResponse.NOT_SERVING
            assert await watch.read() is grpc.aio.EOF
        await asyncio.wait_for(stopping, PATIENCE_S)

    serve(tiny_model, tmp_path, test)


def test_an_unknown_service_is_said_to_be_unknown(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, stub: Any) -> None:
        assert (await outcome(stub.Check(HealthCheckRequest(service="none"))))[0] == Code.NOT_FOUND
        watch = stub.Watch(HealthCheckRequest(service="none"))
        assert await status(watch.read()) == HealthCheckResponse.SERVICE_UNKNOWN
        await served.stop()
        assert await status(watch.read()) == HealthCheckResponse.SERVICE_UNKNOWN
        assert await outcome(watch.read()) == (Code.OK, "")

    serve(tiny_model, tmp_path, test)


@pytest.mark.parametrize("method", ["Check", "Watch"])
def test_a_long_name_is_refused(tiny_model: Path, tmp_path: Path, method: str) -> None:
    async def asked(stub: Any, length: int) -> tuple[grpc.StatusCode, str]:
        call = getattr(stub, method)(HealthCheckRequest(service="x" * length))
        return await outcome(call if method == "Check" else call.read())

    async def test(_served: Served, stub: Any) -> None:
        fits = LONGEST_REQUEST - 3  # the field's number, and its length in two bytes
        assert (await asked(stub, fits))[0] in (Code.NOT_FOUND, Code.OK)
        code, message = await asked(stub, fits + 1)
        assert (code, message) == (Code.INVALID_ARGUMENT, "expected a request of at most 256 bytes, got 257")
        assert (await asked(stub, 5_000_000))[0] == Code.RESOURCE_EXHAUSTED

    serve(tiny_model, tmp_path, test)


def test_watchers_have_a_number_and_checks_go_on_beyond_it(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, stub: Any) -> None:
        watches = [stub.Watch(HealthCheckRequest()) for _ in range(MOST_WATCHERS)]
        for watch in watches:
            assert await status(watch.read()) == HealthCheckResponse.SERVING
        refused = Code.RESOURCE_EXHAUSTED, "expected at most 256 watchers of health, got one more"
        assert await outcome(stub.Watch(HealthCheckRequest()).read()) == refused
        assert await status(stub.Check(HealthCheckRequest())) == HealthCheckResponse.SERVING
        watches.pop().cancel()

        while await outcome(stub.Watch(HealthCheckRequest()).read()) == refused:
            await asyncio.sleep(0)

    serve(tiny_model, tmp_path, test)


@pytest.mark.parametrize("path", [CHECK, WATCH])
def test_what_is_packed_is_not_unpacked(tiny_model: Path, tmp_path: Path, path: str) -> None:
    def ask(port: int) -> dict[str, str]:
        with RawClient(port) as client:
            return client.wait(client.call(path, bytes(64 << 20), end=True, zipped=True))

    async def test(served: Served, _stub: Any) -> None:
        answer = await asyncio.to_thread(ask, served.server.port)
        assert answer["grpc-status"] == str(Code.UNIMPLEMENTED.value[0])

    serve(tiny_model, tmp_path, test)


@asynccontextmanager
async def raw(port: int, window: int) -> AsyncIterator[RawClient]:
    client = await asyncio.to_thread(RawClient, port, window)
    try:
        yield client
    finally:
        client.close()


def test_who_asks_nothing_or_reads_nothing_is_let_go(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_S", 0.2)
    monkeypatch.setattr(health, "MOST_WATCHERS", 4)

    async def test(served: Served, stub: Any) -> None:
        async with raw(served.server.port, 65535) as silent, raw(served.server.port, 0) as frozen:
            quiet = silent.begin(WATCH)
            for _ in range(3):
                frozen.call(WATCH, end=True)
            answer = await asyncio.to_thread(silent.wait, quiet)
            assert answer["grpc-status"] == str(Code.UNAVAILABLE.value[0])
            # the places of those who read nothing are free, while their connection lasts
            for _ in range(4):
                assert await status(stub.Watch(HealthCheckRequest()).read()) == HealthCheckResponse.SERVING

    async def patiently(served: Served, stub: Any) -> None:
        await asyncio.wait_for(test(served, stub), PATIENCE_S)

    serve(tiny_model, tmp_path, patiently)


def test_a_drain_ends_with_its_grace_whoever_reads_nothing(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, _stub: Any) -> None:
        async with raw(served.server.port, 0) as frozen:
            frozen.call(WATCH, end=True)
            frozen.call(CHECK, end=True)
            frozen.call("/motionscribe.v1.Segmentation/Stream", served.open_request("frozen").SerializeToString())
            await until(lambda: served.server.registry.find("frozen") is not None)
            await asyncio.wait_for(served.stop(), PATIENCE_S)

    serve(tiny_model, tmp_path, test, server={"grace_s": 0.5})
