"""How many live streams one machine carries: `python -m benchmarks.speed.service`.

A server process and this one, which sends and receives, share the processor; nothing else runs. Streams are added
until the 99th percentile of the time from a frame to its first label passes LIMIT_MS. `streams` is the most that
stayed below it, and the other numbers of a row are from there: delays in ms, cores used by server and sender, resident
memory of the server. Value is the median of ROUNDS rounds in which all took turns, low and high the least and most.
"""

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import extremes, save
from benchmarks.speed.load import Load
from benchmarks.speed.networks import MODELS, model_of
from motionscribe_models.recordings import read_recording
from motionscribe_models.skeleton import Skeleton

ROUNDS = 3
LIMIT_MS = 100.0
MEASURED_S, PATIENCE_S = 10.0, 20.0
IDLE = 200
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Setting:
    """A row: a server, what is sent to it, and how many streams are tried, in order."""

    row: str
    hidden: int
    rate_hz: float
    block: int
    rungs: tuple[int, ...]
    stride: int = 5
    simple: bool = False
    cores: int = 0
    """Cores that the server may use, 0 for all."""


SETTINGS = (
    Setting("service/h512_k1", 512, 30, 1, (30, 40, 50, 60, 70, 80, 100, 120)),
    Setting("service/h512_k5", 512, 30, 5, (40, 60, 80, 100, 120, 140, 160)),
    Setting("service/h512_stride25_k5", 512, 30, 5, (60, 100, 140, 180, 220), stride=25),
    Setting("service/h512_120hz_k20", 512, 120, 20, (40, 60, 80, 100, 120)),
    Setting("service/simple_k5", 512, 30, 5, (10, 15, 20, 25, 30, 40), simple=True),
    Setting("service/h1024_120hz_one_core", 1024, 120, 1, (1,), cores=1),
)


LOG = subprocess.DEVNULL


class Process:
    """A server's, of one model folder; the simple server, or ours."""

    def __init__(self, model: Path, simple: bool = False, cores: int = 0) -> None:
        self._folder = tempfile.TemporaryDirectory()
        store = str(Path(self._folder.name) / "store.sqlite")
        ours = ["motionscribe_server", "--models", str(model.parents[1]), "--load", model.parent.name, "--port", "0"]
        ours += ["--storage-location", store]
        other = ["benchmarks.speed.simple_server", str(model)]
        command = [sys.executable, "-m", *(other if simple else ours)]
        pinned = ["taskset", "--cpu-list", f"0-{cores - 1}"] if cores else []
        self._process = subprocess.Popen([*pinned, *command], stdout=subprocess.PIPE, stderr=LOG, text=True)
        assert self._process.stdout is not None
        self.address = self._process.stdout.readline().split()[-1]

    @property
    def cpu_s(self) -> float:
        """Processor time so far, workers included."""
        return cpu_s_of(self._pids())

    @property
    def memory_mib(self) -> float:
        """Resident, workers included."""
        pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids()]
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def _pids(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [self._process.pid, *map(int, children.split())]

    def stop(self) -> None:
        """Ends it."""
        self._process.terminate()
        self._process.wait()
        self._folder.cleanup()


def cpu_s_of(pids: Sequence[int]) -> float:
    """Processor time of processes so far."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(fields[11]) + int(fields[12]) for fields in stats) / TICKS


def folder_of(setting: Setting) -> Path:
    """The model folder of a setting, which networks.py made."""
    return MODELS / f"h{setting.hidden}-stride{setting.stride}" / "1"


async def climb(setting: Setting, skeleton: Skeleton, recordings: Sequence[NDArray[np.float32]]) -> dict[str, float]:
    """The numbers of the last rung that stayed below the limit, of the first one where none did; p99 of each tried."""
    process = Process(folder_of(setting), setting.simple, setting.cores)
    load = Load(process.address, skeleton, recordings, setting.rate_hz)
    best: dict[str, float] = {}
    tried: dict[str, float] = {}
    try:
        for rung in setting.rungs:
            await load.add(rung - len(load.senders), setting.block)
            await load.settle(PATIENCE_S)
            before, own, begin = process.cpu_s, time.process_time(), time.monotonic()
            delays = np.array(await load.measure(MEASURED_S)) * 1e3
            passed = time.monotonic() - begin
            p50, p95, p99 = np.percentile(delays, [50, 95, 99]).tolist() if len(delays) else [float("inf")] * 3
            found = {
                "streams": rung,
                "p50_ms": p50,
                "p95_ms": p95,
                "p99_ms": p99,
                "server_cores": (process.cpu_s - before) / passed,
                "sender_cores": (time.process_time() - own) / passed,
                "memory_mib": process.memory_mib,
            }
            print(setting.row, {name: round(value, 2) for name, value in found.items()}, flush=True)
            tried[f"at_{rung}_p99_ms"] = p99
            if p99 > LIMIT_MS:
                best = best or {**found, "streams": 0}
                break
            best = found
        return best | tried
    finally:
        await load.close()
        process.stop()


async def idle_kib(skeleton: Skeleton, recordings: Sequence[NDArray[np.float32]]) -> float:
    """Memory of a session that has been opened and sent nothing."""
    process = Process(folder_of(SETTINGS[0]))
    load = Load(process.address, skeleton, recordings, 30)
    try:
        await load.open(1, 1)
        before = process.memory_mib
        await load.open(IDLE, 1)
        return (process.memory_mib - before) * 1024 / IDLE
    finally:
        await load.close()
        process.stop()


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rows", nargs="*", default=[setting.row for setting in SETTINGS])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    skeletons = [model_of(options.data, s.hidden, s.stride).manifest.skeleton for s in SETTINGS]
    whole = [read_recording(path).frames for path in sorted((options.data / "sub86").glob("[0-9][0-9].mat"))]
    rows: dict[str, list[float]] = {}
    for _ in range(options.rounds):
        for setting in SETTINGS:
            if setting.row in options.rows:
                frames = [x[:: round(120 / setting.rate_hz)].astype(np.float32) for x in whole]
                for metric, value in asyncio.run(climb(setting, skeletons[0], frames)).items():
                    rows.setdefault(f"{setting.row}/{metric}", []).append(value)
        rows.setdefault("service/h512_idle/session_kib", []).append(asyncio.run(idle_kib(skeletons[0], whole)))
    save(__file__, "service", {row: extremes(values) for row, values in rows.items()})


if __name__ == "__main__":
    main()
