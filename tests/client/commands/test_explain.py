"""`motionscribe explain` and both clients against a real server that has a live stream."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from tests.support.serving import motion, serving

from motionscribe import AsyncClient, Client
from motionscribe.cli import main
from motionscribe.errors import BadRequest, NotFound


def test_the_command_and_both_clients(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def test(address: str) -> None:
        at = ["--address", address]
        assert main(["explain", "lab", "--json", *at]) == 0
        told = json.loads(capsys.readouterr().out)
        assert main(["explain", "lab", *at]) == 0
        shown = capsys.readouterr().out
        assert f"cluster {told['cluster']}" in shown
        assert told["joints"][0]["joint"] in shown
        assert re.search(r"margin -?\d+\.\d\d over the next, cluster \d+", shown)
        with Client(address) as client:
            explanation = client.explain("lab", told["segment"])
            assert (explanation.cluster, explanation.joints[0].joint) == (told["cluster"], told["joints"][0]["joint"])
            with pytest.raises(NotFound, match="got 77"):
                client.explain("lab", 77)
            with pytest.raises(BadRequest, match="number of a segment, got -1"):
                client.explain("lab", -1)
        assert main(["explain", "nobody", *at]) == 1
        assert "got 'nobody'" in capsys.readouterr().err

    async def run() -> None:
        async with serving(tiny_model, tmp_path) as served:
            caller = await served.opened()
            recording = motion(served.skeleton, 9.0)
            await caller.send(recording)
            await served.computed(len(recording.frames))
            address = f"127.0.0.1:{served.server.port}"
            await asyncio.to_thread(test, address)
            async with AsyncClient(address) as client:
                assert (await client.explain("lab")).joints
            await caller.finish()

    asyncio.run(run())


@pytest.mark.parametrize("number", ["0", "-1", "x", str(2**64)])
def test_numbers_that_no_segment_has_are_wrong_usage(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["explain", "lab", "--segment", number])
    assert exit.value.code == 2
    assert "expected the number of a segment" in capsys.readouterr().err
