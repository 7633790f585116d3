"""The audit log: every call leaves who, what and when, and nothing of what was in its frames."""

import asyncio
import json
import stat
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.support.caller import Caller
from tests.support.serving import motion, serving

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import AnomaliesStub, ClustersStub, SegmentationStub
from motionscribe_server.access.audit import Audit
from motionscribe_server.errors import SettingsError
from motionscribe_server.stream_keys import digest


def bearer(token: str) -> list[tuple[str, str]]:
    """Metadata."""
    return [("authorization", f"Bearer {token}")]


def test_who_did_what_to_which_stream(tiny_model: Path, tmp_path: Path) -> None:
    tokens, file = tmp_path / "tokens.toml", tmp_path / "audit.jsonl"
    tokens.write_text(f'lab = "{digest("one")}"\n')

    async def run() -> None:
        async with serving(tiny_model, tmp_path, security={"tokens": tokens, "audit": file}) as served:
            caller = Caller(SegmentationStub(served.channel).Stream(metadata=bearer("one")), served.skeleton)
            await caller.open("walk")
            await caller.send(motion(served.skeleton, 4))
            await caller.finish()
            clusters: Any = ClustersStub(served.channel)
            for id in ("walk", 'a"b\n' + 1000 * "c"):
                call = clusters.ForgetStream(pb.ForgetStreamRequest(stream_id=id), metadata=bearer("one"))
                await asyncio.gather(call, return_exceptions=True)
            anomalies: Any = AnomaliesStub(served.channel)
            verdicts: list[Any] = [pb.VERDICT_NORMAL, 9]
            for verdict in verdicts:
                request = pb.MarkAnomalyRequest(stream_id="walk", anomaly=7, verdict=verdict)
                await asyncio.gather(anomalies.MarkAnomaly(request, metadata=bearer("one")), return_exceptions=True)
            with pytest.raises(grpc.aio.AioRpcError):
                await clusters.ListClusters(pb.ListClustersRequest(stream_id="walk"))

    asyncio.run(run())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    told = [(line["tenant"], line["action"], line["stream"], line["outcome"]) for line in lines]
    assert told == [
        ("lab", "Stream", "walk", "opened"),
        ("lab", "Stream", "walk", "OK"),
        ("lab", "ForgetStream", "walk", "OK"),
        ("lab", "ForgetStream", ('a"b\n' + 1000 * "c")[:128], "INVALID_ARGUMENT"),
        ("lab", "MarkAnomaly 7 normal", "walk", "NOT_FOUND"),
        ("lab", "MarkAnomaly 7 9", "walk", "INVALID_ARGUMENT"),
        ("", "ListClusters", "", "UNAUTHENTICATED"),
    ]
    assert {line["peer"].partition(":")[0] for line in lines} == {"ipv4"}
    times = [datetime.fromisoformat(line["time"]) for line in lines]
    assert times == sorted(times)


def test_a_log_that_cannot_be_written(tiny_model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(SettingsError, match="audit: expected a file that can be written"):
        Audit(tmp_path / "not" / "there")
    full = Audit(Path("/dev/full"))
    full.note("peer", "lab", "Stream", "walk", "OK")
    assert "cannot be written" in caplog.text
    full.close()


def test_metrics_want_a_token_where_calls_do(tiny_model: Path, tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(f'lab = "{digest("one")}"\n')

    async def run() -> None:
        async with serving(tiny_model, tmp_path, security={"tokens": tokens}, server={"metrics_port": 0}) as served:
            url = f"http://127.0.0.1:{served.server.metrics_port}/metrics"

            def get(header: dict[str, str]) -> bytes:
                body: bytes = urllib.request.urlopen(urllib.request.Request(url, headers=header), timeout=5).read()
                return body

            for header in ({}, {"Authorization": "Bearer two"}):
                with pytest.raises(urllib.error.HTTPError) as caught:
                    await asyncio.to_thread(get, header)
                assert caught.value.code == 401
                caught.value.close()
            assert b"motionscribe_streams" in await asyncio.to_thread(get, {"Authorization": "Bearer one"})

    asyncio.run(run())
