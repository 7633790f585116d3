"""Calls of the Node.js client that are cancelled amid a stream and resumed: `python -m benchmarks.faults.cancel`.

CLIENTS stream real recordings at their own pace, half of them live and half durable, one after the other, until there
were enough rounds. A round is one cancelled call, after a while of chance; the client closes its connection as well,
and comes back after another. `lost` counts frames without a final label at the end of their stream, `repeated` frames
with more than one. Needs node and npm, and the npm registry.
"""

import argparse
import asyncio
import random
import tempfile
from itertools import count
from pathlib import Path

import numpy as np

from benchmarks.faults.listeners import WALKING, pieces
from benchmarks.faults.node_client import NodeClient, install
from benchmarks.faults.processes import Process, free_port
from benchmarks.results import Numbers, exactly, save

CLIENTS = 8
HEARD = (3, 80)
"""Events between two rounds of a client, at random: a moment after it came back, or several seconds."""
LAST_S = 5
"""No round in these last seconds of a stream: whoever has got the end of a live stream cannot resume it."""
AWAY_S = (0.0, 4.0)
"""How long a client stays away, at random: less and more than a half-close takes to count."""


class Trial:
    """Clients, and what they heard."""

    def __init__(self, main: Path, port: int, files: list[tuple[Path, int]], rounds: int, rng: random.Random) -> None:
        self._main = main
        self._port = port
        self._files = files
        self._wanted = rounds
        self._rng = rng
        self.rounds = self.streams = self.frames = self.lost = self.repeated = 0
        self.failures: list[str] = []

    async def run(self) -> None:
        """Until there were enough rounds, and to the end of the streams that play by then."""
        await asyncio.gather(*map(self._one_after_the_other, range(CLIENTS)))

    async def _one_after_the_other(self, number: int) -> None:
        for turn in count():
            csv, frames = self._files[(number + turn * CLIENTS) % len(self._files)]
            away_s = self._rng.uniform(*AWAY_S)
            options = ["--csv", str(csv), "--rate", str(WALKING.rate_hz), "--realtime", "--away", str(away_s)]
            name = f"cancel-{number}-{turn}"
            client = NodeClient(self._main, self._port, name, *options, *["--durable"] * (number % 2))
            await self._disturb(client, frames)
            lost, repeated = client.told(frames)
            self.streams += 1
            self.frames += frames
            self.lost += lost
            self.repeated += repeated
            if client.failure:
                self.failures.append(f"{name}: {client.failure}")
            print(f"round {self.rounds}, {self.streams} streams have ended", flush=True)
            if self.rounds >= self._wanted:
                return

    async def _disturb(self, client: NodeClient, frames: int) -> None:
        next_round = self._rng.randint(*HEARD)
        async for _ in client.run():
            amid = not client.spans or client.spans[-1][1] < frames - LAST_S * WALKING.rate_hz
            if len(client.events) >= next_round and amid and self.rounds < self._wanted:
                next_round = len(client.events) + self._rng.randint(*HEARD)
                self.rounds += 1
                client.cancel()


def write_csv(folder: Path, data: Path) -> list[tuple[Path, int]]:
    """The recordings as files of numbers, with how many frames each has."""
    files = []
    for number, piece in enumerate(pieces(data, WALKING)):
        path = folder / f"{number}.csv"
        np.savetxt(path, piece.frames, delimiter=",", fmt="%.9g")
        files.append((path, len(piece.frames)))
    return files


async def measure(data: Path, rounds: int, seed: int) -> dict[str, Numbers]:
    """The rows."""
    with tempfile.TemporaryDirectory() as folder:
        main, files = install(Path(folder)), write_csv(Path(folder), data)
        port = free_port()
        server = await asyncio.to_thread(Process, port, Path(folder) / "store.sqlite")
        trial = Trial(main, port, files, rounds, random.Random(seed))
        await trial.run()
        await asyncio.to_thread(server.drain)
    for failure in trial.failures:
        print(failure)
    counts = {
        "rounds": trial.rounds,
        "streams": trial.streams,
        "frames": trial.frames,
        "lost": trial.lost,
        "repeated": trial.repeated,
        "failures": len(trial.failures),
    }
    return {f"cancel/{metric}": exactly(number) for metric, number in counts.items()}


def main() -> None:
    """Cancels, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    save(__file__, "cancel", asyncio.run(measure(options.data, options.rounds, options.seed)))


if __name__ == "__main__":
    main()
