"""What this machine has and how many streams it carries: `motionscribe-server --doctor`.

In: settings. Out: lines for a person. Capacity is measured: as many processes as there would be workers compute made-up
motion at the same time, as fast as they can, each with a full batch of streams that have seen half a minute. It does
not measure the network. It loads ONNX Runtime: the serving process does not import this module.
"""

import multiprocessing
import os
import platform
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np

from motionscribe_models.manifest import Manifest
from motionscribe_models.recordings import even_times
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.main import started
from motionscribe_server.engine.messages import Ask, EngineInfo, OpenSession, SessionClusters, Start, TakeFrames
from motionscribe_server.server import start_message, worker_count
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.settings import Settings
from motionscribe_server.streams.catalog import read_models

SEEN_S, MEASURED_S = 30, 10
"""Seconds of motion before the measurement, and in it."""
LOAD = 0.6
"""Share of its time that a worker should compute; the rest is for the network, bursts and other programs."""


def examine(settings: Settings) -> Iterator[str]:
    """Lines, each as soon as it is known. Raises what serving would raise: ContractError, SettingsError."""
    workers = worker_count(settings)
    yield f"processor    {_processor()}, {len(os.sched_getaffinity(0))} cores for this process"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    yield f"memory       {memory:.0f} GiB"
    yield f"packages     motionscribe {version('motionscribe')}, Python {platform.python_version()}"
    yield f"workers      {workers}, batches of {', '.join(map(str, settings.model.batch_sizes))}"
    for model in read_models(settings):
        start = start_message(settings, [model])
        # processes of their own, as when serving
        context, parent = multiprocessing.get_context("spawn"), (os.getpid(),)
        with ProcessPoolExecutor(workers, context, _end_with, parent) as pool:
            measured = list(pool.map(measure, [start] * workers))
        engine, _ = measured[0]
        yield f"model        {engine.description}"
        for refusal in engine.refusals:
            yield f"             not {refusal}"
        cost = float(np.mean([seconds for _, seconds in measured]))
        m = model.manifest
        rate = f"{m.rate_hz:g} frames and {m.rate_hz / m.stride:g} moments a second"
        yield f"             {1e3 * cost:.1f} ms of a worker for a second of one stream, {rate}"
        yield f"             about {int(LOAD * workers / cost)} live streams with workers {LOAD:.0%} busy"


def _end_with(parent: int) -> None:
    """From now on this process ends soon after its parent, however that ends."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def measure(start: Start) -> tuple[EngineInfo, float]:
    """How the only model of `start` runs here, and the seconds of computing that a second of one stream costs."""
    scheduler, engines = started(start)
    ((key, engine),) = engines.items()
    manifest = scheduler.manifest(key)
    streams = max(start.batch_sizes)
    options = SessionOptions(rate_hz=manifest.rate_hz)
    for session in range(streams):
        scheduler.receive(Ask(session, OpenSession(session, key, options, SessionClusters(1, ()))))
    computed_s = 0.0
    values, times = _motion(manifest)
    for first in range(0, len(values), manifest.stride):
        rows = slice(first, first + manifest.stride)
        if first == SEEN_S * round(manifest.rate_hz) // manifest.stride * manifest.stride:
            computed_s = 0.0
        begin = time.perf_counter()
        for session in range(streams):
            block = CheckedBlock(FrameBlock(first + 1, values[rows], times[rows]))
            scheduler.receive(TakeFrames(session, block))
        while scheduler.next_turn_in_s == 0.0:
            scheduler.turn()
        computed_s += time.perf_counter() - begin
    return engine, computed_s / streams / MEASURED_S


def _motion(manifest: Manifest) -> tuple[np.ndarray, np.ndarray]:
    """Frames (n, D) of waves that change their pace every few seconds, and their times."""
    rng = np.random.default_rng(0)
    seconds = np.arange((SEEN_S + MEASURED_S) * round(manifest.rate_hz)) / manifest.rate_hz
    pace = np.array([0.5, 2.0, 1.0])[(seconds // 4).astype(int) % 3]
    phase = np.cumsum(pace)[:, None] / manifest.rate_hz + rng.random(manifest.skeleton.width)
    values = 0.5 + 0.3 * np.sin(2 * np.pi * phase)
    return values.astype(np.float32), even_times(len(values), manifest.rate_hz)


def _processor() -> str:
    """The processor's name, where the system tells it; its architecture elsewhere."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
