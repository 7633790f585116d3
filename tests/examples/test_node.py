"""The Node.js client of examples/node, written from the proto alone, against a real server."""

import asyncio
import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from benchmarks.faults.node_client import NodeClient, install
from benchmarks.faults.proxy import Proxy
from tests.support.serving import motion, serving

SECONDS = 20
FRAMES = 120 * SECONDS
MADE_UP = ("--seconds", str(SECONDS))
PATIENCE_S = 60.0
OFFLINE = re.compile("ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH")


@pytest.fixture(scope="module")
def main(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client's main file, where it can be installed."""
    if not shutil.which("node") or not shutil.which("npm"):
        pytest.skip("node and npm are not installed")
    try:
        return install(tmp_path_factory.mktemp("node"))
    except subprocess.CalledProcessError as error:
        if OFFLINE.search(error.stderr):
            pytest.skip(f"npm reaches no registry: {error.stderr[:200]}")
        raise AssertionError(error.stderr) from error


async def to_the_end(client: NodeClient) -> None:
    """Until the client has ended, well."""
    async with asyncio.timeout(PATIENCE_S):
        async for _ in client.run():
            pass
    assert not client.failure


def require_all(client: NodeClient, frames: int = FRAMES) -> None:
    """Final labels tile the frames, and every event came once."""
    spans = client.spans
    assert (spans[0][0], spans[-1][1]) == (1, frames + 1)
    assert all(one[1] == following[0] for one, following in pairwise(spans))
    numbers = [event["number"] for event in client.events if "number" in event]
    assert all(one < following for one, following in pairwise(numbers))


@pytest.mark.parametrize("credits", [7, 4096])
def test_a_csv_file_is_labelled_whole_and_a_cluster_gets_its_name(
    main: Path, tiny_model: Path, tmp_path: Path, credits: int
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": credits}) as served:
            recording, csv = motion(served.skeleton, 4), tmp_path / "motion.csv"
            np.savetxt(csv, recording.frames, delimiter=",", header=",".join(served.skeleton.columns), comments="")
            client = NodeClient(main, served.server.port, "csv", "--csv", str(csv), "--name", "walk")
            await to_the_end(client)
            require_all(client, len(recording.frames))
            assert not served.server.registry.streams, "it was closed"
            renamed = client.events[-1]["renamed"]
            clusters = (await served.server.registry.learnt("csv")).clusters
            assert {c.id: c.name for c in clusters if c.name} == {renamed["id"]: "walk"}

    asyncio.run(run())


def test_columns_that_are_not_the_models_are_refused(main: Path, tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            csv = tmp_path / "motion.csv"
            csv.write_text("x,y\n1,2\n")
            client = NodeClient(main, served.server.port, "csv", "--csv", str(csv))
            async for _ in client.run():
                pass
            assert "expected 96 columns" in client.failure

    asyncio.run(run())


def test_what_came_before_a_bad_line_is_told_and_then_the_line(main: Path, tiny_model: Path, tmp_path: Path) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            recording, csv = motion(served.skeleton, 3), tmp_path / "motion.csv"
            np.savetxt(csv, recording.frames, delimiter=",")
            with csv.open("a") as lines:
                lines.write("1,2,oops\n")
            client = NodeClient(main, served.server.port, "bad", "--csv", str(csv))
            async for _ in client.run():
                pass
            assert "line 361: expected 96 numbers, got 1,2,oops" in client.failure
            require_all(client, 360)

    asyncio.run(run())


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("fault", ["drop", "reset"])
def test_a_broken_connection_loses_and_repeats_nothing(
    main: Path, tiny_model: Path, tmp_path: Path, durable: bool, fault: str
) -> None:
    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 120}) as served:
            with Proxy(served.server.port) as proxy:
                client = NodeClient(main, proxy.port, "broken", *MADE_UP, *["--durable"] * durable)
                epochs = []
                async with asyncio.timeout(PATIENCE_S):
                    async for _ in client.run():
                        if len(client.events) in (30, 60, 90):
                            epochs.append(served.stream("broken").epoch)
                            getattr(proxy, fault)()
                assert not client.failure
                assert epochs[-1] > 1
                require_all(client)

    asyncio.run(run())


@pytest.mark.parametrize("durable", [False, True])
def test_a_cancelled_call_is_a_lost_one(main: Path, tiny_model: Path, tmp_path: Path, durable: bool) -> None:
    """A client that cancels a call and closes its connection seems to end its side of the call first."""

    async def run() -> None:
        async with serving(tiny_model, tmp_path, limits={"credits": 600}) as served:
            options = (*MADE_UP, "--away", "2.5", *["--durable"] * durable)
            client = NodeClient(main, served.server.port, "cancelled", *options)
            epochs = []
            async with asyncio.timeout(PATIENCE_S):
                async for _ in client.run():
                    if len(client.events) in (10, 100):
                        epochs.append(served.stream("cancelled").epoch)
                        client.cancel()
            assert not client.failure
            assert epochs[-1] > 1
            require_all(client)

    asyncio.run(run())


@pytest.mark.parametrize("durable", [False, True])
def test_another_server(main: Path, tiny_model: Path, tmp_path: Path, durable: bool) -> None:
    """It takes a durable stream over; to a live one it is new, and labels begin where frames are still to be had."""

    async def run() -> None:
        limits = {"credits": 600}
        async with (
            serving(tiny_model, tmp_path, limits=limits) as one,
            serving(tiny_model, tmp_path, limits=limits) as two,
        ):
            with Proxy(one.server.port) as proxy:
                client = NodeClient(main, proxy.port, "moved", *MADE_UP, *["--durable"] * durable)
                async with asyncio.timeout(PATIENCE_S):
                    async for _ in client.run():
                        if len(client.events) == 30:
                            proxy.part(two.server.port)
                assert not client.failure
        restarted = [event["restarted"] for event in client.events if event.get("event") == "restarted"]
        if durable:
            assert not restarted
            require_all(client)
        else:
            (again,) = restarted
            assert "no stream of this id and token is here" in again["reason"]
            assert client.spans[-1][1] == FRAMES + 1
            assert again["seq"] in [start for start, _ in client.spans]

    asyncio.run(run())
