"""What a worker costs by streams, by clusters and by hours: `python -m benchmarks.speed.scale`.

One worker in this process, fed as fast as it computes: no network, event time only. `ms` is processor time for a second
of one stream of 30 frames a second, 5 frames a message. The soak runs SOAK_MIN minutes: SOAK_STREAMS recordings that
never end. Its cost and resident memory are those of its second and its last tenth, `event_hours` the motion of all.
"""

import argparse
import itertools
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import quartiles, save
from benchmarks.speed.networks import MODELS, model_of
from motionscribe_models.recordings import read_recording
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.main import started
from motionscribe_server.engine.messages import Ask, OpenSession, SessionClusters, Start, TakeFrames
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.options import SessionOptions

RATE_HZ, BLOCK = 30, 5
SEEN_S, MEASURED_S = 30, 20
STREAMS = (1, 4, 16, 64)
CLUSTERS = (0, 30, 100, 300)
SOAK_STREAMS, SOAK_MIN = 2, 30
KEY = "h512-stride5/1"
SHIPPED = "cmu-expmap/1"

Recordings = Sequence[NDArray[np.float32]]


class Streams:
    """Some streams of one model in one worker, in step."""

    def __init__(self, models: Path, key: str, recordings: Recordings, streams: int, known: SessionClusters) -> None:
        name, _, version = key.partition("/")
        start = Start(models, None, ((name, version),), "auto", (1, 4, 16), 1, "error")
        self._worker, _ = started(start)
        self._frames = [np.roll(recordings[i % len(recordings)], -100 * i, axis=0) for i in range(streams)]
        options = SessionOptions(rate_hz=RATE_HZ)
        for session in range(streams):
            reply = self._worker.receive(Ask(session, OpenSession(session, key, options, known)))
            assert reply is not None
            assert isinstance(reply.value, SessionClusters)
        self._sent = 0

    def seconds(self) -> Iterator[float]:
        """Sends a second of every stream; the processor time that it took, for one stream."""
        while True:
            begin = time.process_time()
            for _ in range(RATE_HZ // BLOCK):
                rows = np.arange(self._sent, self._sent + BLOCK)
                times = np.rint(rows * (1e6 / RATE_HZ)).astype(np.int64)
                for session, frames in enumerate(self._frames):
                    block = CheckedBlock(FrameBlock(self._sent + 1, frames[rows % len(frames)], times))
                    self._worker.receive(TakeFrames(session, block))
                while self._worker.next_turn_in_s == 0.0:
                    turn = self._worker.turn()
                    assert all(answer.error is None for answer in turn.answers)
                self._sent += BLOCK
            yield (time.process_time() - begin) / len(self._frames)


def cost_ms(streams: Streams) -> list[float]:
    """For each of MEASURED_S seconds, after those that only warm up."""
    seconds = itertools.islice(streams.seconds(), SEEN_S, SEEN_S + MEASURED_S)
    return [1e3 * second for second in seconds]


def known(clusters: int, dimensions: int) -> SessionClusters:
    """Clusters that an earlier session would have left, far from each other."""
    centres = np.random.default_rng(0).normal(0, 10, (clusters, dimensions))
    states = [ClusterState(i, "", 0, False, c, 100.0, 0, 0, 50, 100.0) for i, c in enumerate(centres, 1)]
    return SessionClusters(clusters + 1, states)


def memory_mib() -> float:
    """Resident memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def soak(recordings: Recordings, minutes: float) -> dict[str, list[float]]:
    """Of the shipped model: its clusters are those of real motion."""
    streams = Streams(Path("models"), SHIPPED, recordings, SOAK_STREAMS, SessionClusters(1, ()))
    costs, sizes, end = list[float](), list[float](), time.monotonic() + 60 * minutes
    while time.monotonic() < end:  # a row a minute: one a second would be what grows
        costs.append(1e3 * float(np.mean(list(itertools.islice(streams.seconds(), 60)))))
        sizes.append(memory_mib())
        if len(costs) % 60 == 0:
            print(f"{len(costs) // 60} h: {np.mean(costs[-60:]):.2f} ms, {sizes[-1]:.1f} MiB", flush=True)
    tenth = len(costs) // 10
    early, late = slice(tenth, 2 * tenth), slice(-tenth, None)
    return {
        "event_hours": [len(costs) * SOAK_STREAMS / 60],
        "early_ms": costs[early],
        "late_ms": costs[late],
        "early_mib": sizes[early],
        "late_mib": sizes[late],
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--minutes", type=float, default=SOAK_MIN, help="of the soak")
    options = parser.parse_args()
    bundle = model_of(options.data, 512, 5)
    dimensions = bundle.arrays["students"].shape[2]
    paths = sorted((options.data / "sub86").glob("[0-9][0-9].mat"))
    recordings = [read_recording(path).frames[::4].astype(np.float32) for path in paths]
    rows = {}
    for count in STREAMS:
        streams = Streams(MODELS, KEY, recordings, count, SessionClusters(1, ()))
        rows[f"scale/streams_{count}/ms"] = quartiles(cost_ms(streams))
    for count in CLUSTERS:
        streams = Streams(MODELS, KEY, recordings, 16, known(count, dimensions))
        rows[f"scale/clusters_{count}/ms"] = quartiles(cost_ms(streams))
    for metric, values in soak(recordings, options.minutes).items():
        rows[f"scale/soak/{metric}"] = quartiles(values)
    save(__file__, "scale", rows)


if __name__ == "__main__":
    main()
