"""Servers and networks that fail, and what clients lose: `python -m benchmarks.faults.servers`.

Clients send real recordings as durable streams while, round after round,

kill       the server is killed and started again
worker     one of the server's workers is killed
rolling    it drains and is started again
network    connections stall, vanish, close or are reset
partition  the clients reach another server of the same store, while the old one lives and hears nothing of it
flat_out   a worker or the server is killed, in turn, while frames come as fast as they are taken

All but the last at the recordings' own pace.
`lost` counts events of the undisturbed run that a client never heard, `repeated` those that it heard beyond it, other
ones included; `pause_p50_s` is the longest that a client heard nothing amid a stream from one round to the next, labels
that may still change included.
"""

import argparse
import asyncio
import itertools
import random
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from benchmarks.faults.listeners import FLAT_OUT, WALKING, Listeners, Pace, summary
from benchmarks.faults.processes import Process, free_port
from benchmarks.faults.proxy import Proxy
from benchmarks.results import Numbers, exactly, save

CLIENTS = {WALKING: 20, FLAT_OUT: 4}
CALM_S = (0.5, 5.0)
"""Between two rounds, at random: in the middle of frames, of checkpoints and of catching up."""
HASTY = 0.25
"""Share of rounds that do not wait until all clients hear something again."""


class Trial:
    """Clients, and the rounds of what happens to them."""

    def __init__(self, data: Path, rng: random.Random, pace: Pace) -> None:
        self.rng = rng
        self._listeners = Listeners(data, CLIENTS[pace], pace)
        self._moments: list[float] = []

    async def begin(self, port: int) -> None:
        """Returns when all clients hear something."""
        self._listening = asyncio.create_task(self._listeners.run(f"127.0.0.1:{port}"))
        await self._until_all_hear()

    async def calm(self) -> None:
        """Returns when the next round begins."""
        if self.rng.random() >= HASTY:
            await self._until_all_hear()
        await asyncio.sleep(self.rng.uniform(*CALM_S))
        self._moments.append(time.monotonic())
        print(f"round {len(self._moments)}, {self._listeners.streams} streams have ended", flush=True)

    async def _until_all_hear(self) -> None:
        since = self._moments[-1] if self._moments else 0.0
        while not self._listeners.playing(since):
            await asyncio.sleep(0.1)

    async def end(self) -> None:
        """Returns when all streams have ended."""
        self._listeners.stop()
        await self._listening

    def rows(self, name: str) -> dict[str, Numbers]:
        """What came of it."""
        heard = self._listeners
        for failure in heard.failures:
            print(failure)
        counts = {
            "rounds": len(self._moments),
            "streams": heard.streams,
            "events": heard.events,
            "lost": heard.lost,
            "repeated": heard.repeated,
            "failures": len(heard.failures),
        }
        rows = {f"{name}/{metric}": exactly(count) for metric, count in counts.items()}
        return {**rows, f"{name}/pause_p50_s": summary(heard.pauses(self._moments))}


async def kill(trial: Trial, store: Path, rounds: int) -> None:
    """No time for a word."""
    await _disturb(trial, store, rounds, Process.kill, Process.start)


async def worker(trial: Trial, store: Path, rounds: int) -> None:
    """The oldest; the server starts another one."""
    await _disturb(trial, store, rounds, Process.kill_worker)


async def rolling(trial: Trial, store: Path, rounds: int) -> None:
    """As an update does."""
    await _disturb(trial, store, rounds, Process.drain, Process.start)


async def flat_out(trial: Trial, store: Path, rounds: int) -> None:
    """Both restarts, in turn."""
    restarts = itertools.cycle([(Process.kill_worker,), (Process.kill, Process.start)])

    def restart(server: Process) -> None:
        for act in next(restarts):
            act(server)

    await _disturb(trial, store, rounds, restart)


async def _disturb(trial: Trial, store: Path, rounds: int, *acts: Callable[[Process], None]) -> None:
    port = free_port()
    server = await asyncio.to_thread(Process, port, store)
    await trial.begin(port)
    for _ in range(rounds):
        await trial.calm()
        for act in acts:
            await asyncio.to_thread(act, server)
    await trial.end()
    await asyncio.to_thread(server.drain)


async def network(trial: Trial, store: Path, rounds: int) -> None:
    """Stalls are shorter than what makes either side give up, or end with everything on its way gone."""
    port = free_port()
    server = await asyncio.to_thread(Process, port, store)
    with Proxy(port) as proxy:
        await trial.begin(proxy.port)
        for _ in range(rounds):
            await trial.calm()
            fault = trial.rng.choice([proxy.flow, proxy.drop, proxy.reset])
            if fault == proxy.flow or trial.rng.random() < 0.5:
                proxy.stall()
                await asyncio.sleep(trial.rng.uniform(0.5, 5.0))
            fault()
        await trial.end()
    await asyncio.to_thread(server.drain)


async def partition(trial: Trial, store: Path, rounds: int) -> None:
    """Back and forth."""
    ports = free_port(), free_port()
    servers = [await asyncio.to_thread(Process, port, store, "--workers", "1") for port in ports]
    with Proxy(ports[0]) as proxy:
        await trial.begin(proxy.port)
        for turn in range(rounds):
            await trial.calm()
            proxy.part(ports[(turn + 1) % 2])
        await trial.end()
    for server in servers:
        await asyncio.to_thread(server.drain)


SCENARIOS: dict[str, tuple[Callable[[Trial, Path, int], Awaitable[None]], int]] = {
    "kill": (kill, 50),
    "worker": (worker, 15),
    "rolling": (rolling, 15),
    "network": (network, 30),
    "partition": (partition, 15),
    "flat_out": (flat_out, 50),
}


async def measure(name: str, rounds: int, data: Path, seed: int) -> dict[str, Numbers]:
    """The rows of one scenario."""
    scenario, usual = SCENARIOS[name]
    trial = Trial(data, random.Random(seed), FLAT_OUT if scenario is flat_out else WALKING)
    with tempfile.TemporaryDirectory() as folder:
        await scenario(trial, Path(folder) / "store.sqlite", rounds or usual)
    return trial.rows(name)


def main() -> None:
    """Breaks, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=0, help="instead of those of the scenario")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for name in options.only:
        save(__file__, name, asyncio.run(measure(name, options.rounds, options.data, options.seed)))


if __name__ == "__main__":
    main()
