"""The Node.js client of examples/node, as a process that can be told to cancel its call and to resume it."""

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
EXAMPLE = Path("examples/node")
PROTO = Path("proto/motionscribe_proto/segmentation.proto")
LONGEST_LINE = 1 << 22


def install(folder: Path) -> Path:
    """A copy of the example below `folder`, with its packages; returns its main file. Raises CalledProcessError."""
    (folder / PROTO).parent.mkdir(parents=True)
    shutil.copy(ROOT / PROTO, folder / PROTO)
    shutil.copytree(ROOT / EXAMPLE, folder / EXAMPLE, ignore=shutil.ignore_patterns("node_modules"))
    npm = shutil.which("npm") or "npm"
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder / EXAMPLE, check=True, capture_output=True, text=True)
    return folder / EXAMPLE / "main.js"


class NodeClient:
    """One stream of a client whose main file is `main`; what it heard is in `events`."""

    def __init__(self, main: Path, port: int, stream_id: str, *options: str) -> None:
        node = shutil.which("node") or "node"
        self._command = [node, str(main), "--address", f"127.0.0.1:{port}", "--stream-id", stream_id, *options]
        self.events: list[dict[str, Any]] = []
        self.failure = ""
        """Why it ended, where it did not end well."""

    async def run(self) -> AsyncIterator[dict[str, Any]]:
        """Its events, until it has ended."""
        pipe = asyncio.subprocess.PIPE
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=pipe, stderr=pipe, limit=LONGEST_LINE
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        try:
            async for line in self._process.stdout:
                self.events.append(json.loads(line))
                yield self.events[-1]
            said = (await self._process.stderr.read()).decode()
            if await self._process.wait():
                self.failure = said or f"exit status {self._process.returncode}"
        finally:
            if self._process.returncode is None:
                self._process.kill()
                await self._process.wait()

    def cancel(self) -> None:
        """It cancels its call, and resumes it after a while."""
        self._process.send_signal(signal.SIGHUP)

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Of the final labels, in the order in which they came: [first seq, end)."""
        labels = [event["labels"] for event in self.events if event.get("event") == "labels"]
        return [
            span
            for label in labels
            if label["final"]
            for span in zip(label["start_seq"], label["end_seq"], strict=True)
        ]

    def told(self, frames: int) -> tuple[int, int]:
        """How many of the frames 1 to `frames` have no final label, and how many have two or more."""
        times = [0] * (frames + 1)
        for start, end in self.spans:
            for seq in range(start, end):
                times[seq] += 1
        return times[1:].count(0), sum(number > 1 for number in times)
