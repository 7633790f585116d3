"""What a window costs the processor: `python -m benchmarks.speed.kernel`.

CPU seconds of one thread, nothing else running. Ours advances running states by each frame and decodes where a window
is complete; the others compute each window from its first frame. `speedup` is windows per CPU second over those of
ONNX Runtime in 32 bits; `tail_ratio` is our work after a window's last frame over that of ONNX Runtime, which is all of
it; `peak_share` is the arithmetic that recomputing would need over what the processor's own matrix product in 32 bits
would do in our time: above 1 for what 8 bits and running states save. `running_speedup` is what a window of a windowed
model of the shipped sizes costs over what one costs where the encoder's state runs on, 16 streams together. Value is
the median of rounds in which all took turns, low and high their quartiles.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.results import Numbers, quartiles, save
from benchmarks.speed.networks import (
    STEPS,
    WINDOW,
    Features,
    WholeWindow,
    like_shipped,
    model_of,
    with_onnxruntime,
    with_torch,
)
from motionscribe_models.manifest import FORMAT, WINDOWED
from motionscribe_server.engine.inference import Choice, Inference
from motionscribe_server.session.steps import step_of

HIDDENS, STRIDES, STREAMS = (256, 512, 1024), (5, 25), (1, 16)
ROUNDS = 12
LEAST_S = 0.05
"""A turn lasts this long at least."""
REFERENCE = "onnxruntime_fp32"


class Running:
    """`streams` streams of one model, all at the same place of their windows."""

    def __init__(self, inference: Inference, streams: int) -> None:
        rng, manifest = np.random.default_rng(0), inference.manifest
        self.stride, self.tail_s, self.windows = manifest.stride, 0.0, 0
        self._inference, self._window, self._index = inference, manifest.forgets_after, 0
        self._features = rng.normal(size=(streams, manifest.features)).astype(np.float32)
        self._states = [inference.new_state() for _ in range(streams)]

    def window(self) -> None:
        """Frames until all streams have a window more; adds up the time of the last one in `tail_s`."""
        for _ in range(self.stride):
            steps = [step_of(row, self._index, self._window, self.stride) for row in self._features]
            begin = time.process_time()
            self._inference.advance(self._states, [[step] for step in steps])
            self._index += 1
        self.tail_s += time.process_time() - begin
        self.windows += 1


def seconds(turn: Callable[[], object]) -> float:
    """CPU seconds of a call, of as many as last LEAST_S."""
    calls, begin = 0, time.process_time()
    while (spent := time.process_time() - begin) < LEAST_S or not calls:
        turn()
        calls += 1
    return spent / calls


def operations(features: int, hidden: int) -> float:
    """Multiplications and additions of one window, from its first frame to the last prediction."""
    cell = 3 * hidden * (features + hidden)
    return 2.0 * (WINDOW * cell + (STEPS - 1) * cell + STEPS * hidden * features)


def peak() -> float:
    """Multiplications and additions a CPU second, 32 bits, one thread."""
    a = torch.randn(1024, 1024)
    return 2 * 1024**3 / min(seconds(lambda: a @ a) for _ in range(10))


def measure(data: Path, hidden: int, stride: int, streams: int, most: float) -> dict[str, Numbers]:
    """Rows of one setting; `most` is the peak."""
    bundle = model_of(data, hidden, stride)
    features = bundle.manifest.features
    windows = np.random.default_rng(0).normal(size=(streams, WINDOW, features)).astype(np.float32)
    network = WholeWindow(features, hidden)
    ours = {v: Running(Inference(bundle, v, (streams,)), streams) for v in ("int8", "fp32")}
    others: dict[str, Callable[[Features], object]] = {
        REFERENCE: with_onnxruntime(network),
        "torch_eager": with_torch(network, compiled=False),
        "torch_compile": with_torch(network, compiled=True),
    }
    for other in others.values():
        other(windows)
    spent: dict[str, list[float]] = {}
    tails: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, running in ours.items():
            running.tail_s = running.windows = 0
            spent.setdefault(name, []).append(seconds(running.window))
            tails.setdefault(name, []).append(running.tail_s / running.windows)
        for name, other in others.items():
            spent.setdefault(name, []).append(seconds(partial(other, windows)))
    rows: dict[str, Numbers] = {}
    work = streams * operations(features, hidden)
    for name, found in spent.items():
        row = f"kernel/h{hidden}/{name}" + (f"_stride{stride}" if name in ours else "")
        row += "" if streams == 16 else f"_{streams}_stream"
        rows[f"{row}/window_ms"] = quartiles([1e3 * x / streams for x in found])
        rows[f"{row}/speedup"] = quartiles([a / b for a, b in zip(spent[REFERENCE], found, strict=True)])
        rows[f"{row}/peak_share"] = quartiles([work / x / most for x in found])
        if name in ours:
            tail = [a / b for a, b in zip(tails[name], spent[REFERENCE], strict=True)]
            rows[f"{row}/tail_ratio"] = quartiles(tail)
    return rows


def measure_running(hidden: int, streams: int) -> dict[str, Numbers]:
    """Rows of the shipped sizes but for `hidden`."""
    rows: dict[str, Numbers] = {}
    suffixes: dict[Choice, str] = {"int8": "", "fp32": "_fp32"}
    for variant, suffix in suffixes.items():
        windowed, running = (
            Running(Inference(like_shipped(hidden, form, steps), variant, (streams,)), streams)
            for form, steps in ((WINDOWED, 24), (FORMAT, 4))
        )
        spent = [(seconds(windowed.window), seconds(running.window)) for _ in range(ROUNDS)]
        rows[f"kernel/h{hidden}/running_speedup{suffix}"] = quartiles([a / b for a, b in spent])
        rows[f"kernel/h{hidden}/running_window_ms{suffix}"] = quartiles([1e3 * b / streams for _, b in spent])
    return rows


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", choices=("running",), help="measure running_speedup alone, and keep the other rows")
    options = parser.parse_args()
    torch.set_num_threads(1)
    running = {row: numbers for hidden in (256, 512) for row, numbers in measure_running(hidden, 16).items()}
    if options.only:
        before = json.loads(Path(__file__).with_name("results.json").read_text())
        kept = {row: numbers for row, numbers in before.items() if row.startswith("kernel/")}
        save(__file__, "kernel", kept | running)
        return
    most = peak()
    rows: dict[str, Numbers] = {"kernel/peak/gflops": quartiles([most / 1e9])}
    for hidden in HIDDENS:
        for stride in STRIDES:
            for streams in STREAMS:
                rows |= measure(options.data, hidden, stride, streams, most)
    save(__file__, "kernel", rows | running)


if __name__ == "__main__":
    main()
