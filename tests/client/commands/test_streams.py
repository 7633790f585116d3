"""`streams` lists what is at a server, as a table and as JSON lines."""

import json

import pytest
from tests.client.test_cli import outcome
from tests.support.scripted_server import COLUMNS, ScriptedServer


def test_streams(capsys: pytest.CaptureFixture[str]) -> None:
    with ScriptedServer() as server:
        at = ["--address", server.address]
        code, out, _ = outcome(capsys, "streams", *at)
        rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
        assert rows == [
            ["live", "echo/2", "50 Hz", "61", "live"],
            ["lost", "echo/2", "50 Hz", "61", "waits to be resumed"],
        ]
        _, out, _ = outcome(capsys, "streams", "--json", *at)
        streams = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(stream["stream_id"], stream["has_owner"]) for stream in streams] == [("live", True), ("lost", False)]
    assert streams[0]["skeleton"]["joints"] == list(COLUMNS)
