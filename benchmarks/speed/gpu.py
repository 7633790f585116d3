"""How many streams a GPU carries: `python -m benchmarks.speed.gpu`, on a machine with one and '.[server]'.

Wall time of one tick: a frame of each of N streams of 30 Hz, a fifth of which complete a window; 1024 units, a label
every 5 frames. `streams` is how many would keep up at that pace. `floor_ms` is what a tick would cost at the rates of
this machine's copies and matrix products, `copy_share` and `product_share` are their parts of the tick, `python_share`
is what passes outside of ONNX Runtime. `recompute` computes each window from its first frame.
For the service: `python -m benchmarks.speed.service`, whose server takes the GPU by itself.
"""

import argparse
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.results import Numbers, quartiles, save
from benchmarks.speed.networks import STEPS, WINDOW, WholeWindow, model_of, with_onnxruntime
from motionscribe_server.inference import CUDA, Inference
from motionscribe_server.window import Step, step_of

HIDDEN, STRIDE, RATE_HZ = 1024, 5, 30
STREAMS = (64, 256, 1024, 2048)
ROUNDS = 20


class Tick:
    """`streams` streams that are as far in their windows as chance has it."""

    def __init__(self, inference: Inference, streams: int) -> None:
        self._manifest, self._inference = inference.manifest, inference
        self._states = [inference.new_state() for _ in range(streams)]
        self._features = np.random.default_rng(0).normal(size=(streams, inference.manifest.features)).astype(np.float32)
        self._frames = count(WINDOW)
        self.inside_s = 0.0
        """In ONNX Runtime."""
        inference._encoder, inference._decoder = map(self._watched, (inference._encoder, inference._decoder))

    def __call__(self) -> None:
        """One frame of each."""
        m, frame = self._manifest, next(self._frames)
        steps: list[Step] = [step_of(x, frame + i, m.window, m.stride) for i, x in enumerate(self._features)]
        self._inference.advance(self._states, [[step] for step in steps])

    def _watched(self, session: Any) -> Any:
        tick = self

        class Watched:
            def run(self, *arguments: Any) -> Any:
                begin = time.perf_counter()
                answers = session.run(*arguments)
                tick.inside_s += time.perf_counter() - begin
                return answers

        return Watched()


def seconds(turn: Callable[[], object]) -> list[float]:
    """Wall time of each of ROUNDS calls, after one to warm up."""
    found = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        turn()
        found.append(time.perf_counter() - begin)
    return found[1:]


def rates(device: str) -> tuple[float, float]:
    """Bytes a second between host and device, from pageable memory; multiplications and additions a second, 32 bits."""
    host, a = torch.randn(1 << 26), torch.randn(8192, 8192, device=device)
    copying = min(seconds(lambda: host.to(device).cpu()))
    product = min(seconds(lambda: (a @ a)[0, 0].item()))
    return 2 * 4 * len(host) / copying, 2 * 8192**3 / product


def measure(data: Path, streams: int, copies: float, products: float) -> dict[str, Numbers]:
    """Rows of one batch size, given the rates."""
    bundle = model_of(data, HIDDEN, STRIDE)
    m = bundle.manifest
    inference = Inference(bundle, "fp32", (streams // STRIDE + 1, streams))
    tick = Tick(inference, streams)
    spent, outside = [], []
    for _ in range(ROUNDS):
        tick.inside_s, begin = 0.0, time.perf_counter()
        tick()
        spent.append(time.perf_counter() - begin)
        outside.append(1 - tick.inside_s / spent[-1])
    windows = np.random.default_rng(0).normal(size=(streams, WINDOW, m.features)).astype(np.float32)
    recompute = with_onnxruntime(WholeWindow(m.features, HIDDEN), provider=inference.provider)
    others = seconds(lambda: recompute(windows))
    cell = 2.0 * 3 * HIDDEN * (m.features + HIDDEN)
    product_s = streams * (m.slots * cell + STEPS * (cell + 2 * HIDDEN * m.features) / STRIDE) / products
    copy_s = streams * 2 * 4 * m.slots * HIDDEN / copies
    row = f"gpu/h{HIDDEN}_stride{STRIDE}/{streams}"
    return {
        f"{row}/tick_ms": quartiles([1e3 * s for s in spent]),
        f"{row}/streams": quartiles([streams / s / RATE_HZ for s in spent]),
        f"{row}/floor_ms": quartiles([1e3 * (copy_s + product_s)]),
        f"{row}/copy_share": quartiles([copy_s / s for s in spent]),
        f"{row}/product_share": quartiles([product_s / s for s in spent]),
        f"{row}/python_share": quartiles(outside),
        f"{row}_recompute/streams": quartiles([streams / s / RATE_HZ * STRIDE for s in others]),
    }


def main() -> None:
    """Measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    provider = Inference(model_of(data, HIDDEN, STRIDE), "fp32", (1,)).provider
    if provider != CUDA or not torch.cuda.is_available():
        parser.error(f"expected a GPU for ONNX Runtime and PyTorch, got {provider}")
    copies, products = rates("cuda")
    rows: dict[str, Numbers] = {
        "gpu/copies/gb_s": quartiles([copies / 1e9]),
        "gpu/products/tflops": quartiles([products / 1e12]),
    }
    for streams in STREAMS:
        rows |= measure(data, streams, copies, products)
    save(__file__, "gpu", rows)


if __name__ == "__main__":
    main()
