"""`motionscribe anomalies` and both clients against a real server whose store has anomalies of a stream."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.serving import serving

from motionscribe import AsyncClient, Client
from motionscribe.cli import main
from motionscribe.errors import BadRequest, NotFound
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly_book import AnomalyBook, Fired, PackedBook

ONE = Anomaly(1, False, 1, 4, 1_500_000, 4_000_000, "motion fault", "misfit", "ended", 0.025, ("wrist",), (5.5,), 3)
TWO = replace(ONE, anomaly=2, kind="new behaviour", joints=(), deviations=(), ongoing=True)
FIRED = (Fired("misfit", (2, 5), (5.5, 4.75)), Fired("jump\x1b", (0,), (6.125,)))


def with_server(test: Callable[[str], None], tiny_model: Path, folder: Path) -> None:
    """Runs `test` with the address of a server, in a thread."""

    async def run() -> None:
        async with serving(tiny_model, folder) as served:
            book = AnomalyBook(PackedBook(3))
            book.put(ONE, FIRED)
            book.put(TWO, ())
            await served.server.store.run(
                lambda store: store.save(served.model.key, "lab", 1, [], book=book.packed()),
            )
            await asyncio.to_thread(test, f"127.0.0.1:{served.server.port}")

    asyncio.run(run())


def test_the_command(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(verb: str, *arguments: str) -> tuple[int, str, str]:
        code = main(["anomalies", verb, *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    def rows(out: str) -> list[list[str]]:
        return [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]

    def test(address: str) -> None:
        at = ["--address", address]
        code, out, _ = run("list", "lab", *at, "--json")
        assert code == 0
        one, two = map(json.loads, out.splitlines())
        assert (one["event"]["anomaly"], one["verdict"], one["fired"]) == (
            1,
            "none",
            {"jump\x1b": 6.125, "misfit": 5.5},
        )
        assert (two["event"]["ongoing"], two["fired"]) == (True, {})
        code, out, _ = run("normal", "lab", "1", *at, "--json")
        assert (code, json.loads(out)["verdict"]) == (0, "normal")
        code, out, _ = run("fault", "lab", "2", *at)
        assert code == 0
        listed = rows(run("list", "lab", *at)[1])
        assert [(row[0], row[-1]) for row in listed if row[0]] == [("1", "normal"), ("2", "fault")]
        assert "\x1b[" not in "".join(map(str, listed))
        assert run("clear", "lab", "1", *at)[0] == 0
        assert json.loads(run("list", "lab", *at, "--json")[1].splitlines()[0])["verdict"] == "none"
        code, out, err = run("normal", "lab", "9", *at)
        assert (code, out) == (1, "")
        assert "expected an anomaly that is kept of the stream, the newest are 1, 2, got 9" in err
        with pytest.raises(SystemExit):
            run("normal", "lab", "0", *at)

    with_server(test, tiny_model, tmp_path)


def test_both_clients(tiny_model: Path, tmp_path: Path) -> None:
    async def asynchronous(address: str) -> None:
        async with AsyncClient(address) as client:
            assert (await client.mark_anomaly("lab", 2, "fault")).verdict == "fault"
            assert [kept.verdict for kept in await client.anomalies("lab")] == ["normal", "fault"]

    def test(address: str) -> None:
        with Client(address) as client:
            marked = client.mark_anomaly("lab", 1, "normal")
            assert (marked.event, marked.verdict) == (ONE, "normal")
            asyncio.run(asynchronous(address))
            one: Any = np.int64(1)  # what comes of an array
            assert client.mark_anomaly("lab", one, "normal").verdict == "normal"
            for anomaly in (-1, "1", True, 1.0):
                with pytest.raises(BadRequest, match="expected the number of an anomaly"):
                    client.mark_anomaly("lab", anomaly, "normal")  # type: ignore[arg-type]
            with pytest.raises(BadRequest, match="one of none, normal, fault, got 'bad'"):
                client.mark_anomaly("lab", 1, "bad")  # type: ignore[arg-type]
            with pytest.raises(NotFound):
                client.anomalies("gym")

    with_server(test, tiny_model, tmp_path)
