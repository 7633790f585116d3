"""How many streams a GPU carries: `python -m benchmarks.speed.gpu`, on a machine with one and '.[server]'.

Wall time of one tick: a frame of each of N streams of 30 Hz, a fifth of which complete a window; 1024 units, a label
every 5 frames. `streams` is how many would keep up at that pace. `floor_ms` is what a tick would cost at the rates of
this machine's copies and matrix products, `copy_share` and `product_share` are their parts of the tick, `python_share`
is what passes outside of ONNX Runtime. `recompute` computes each window from its first frame.
For the service: `python -m benchmarks.speed.service`, whose server takes the GPU by itself.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.results import Numbers, exactly, quartiles, save
from benchmarks.speed.kernel import operations
from benchmarks.speed.networks import WINDOW, WholeWindow, model_of, with_onnxruntime
from motionscribe_models.repository import ModelBundle
from motionscribe_server.engine.inference import CUDA, Inference
from motionscribe_server.session.steps import step_of

HIDDEN, STRIDE, RATE_HZ = 1024, 5, 30
STREAMS = (64, 256, 1024, 2048)
ROUNDS = 20


class Clocked:
    """An ONNX Runtime session that adds up the time within."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inside_s = 0.0

    def run(self, *arguments: Any) -> Any:
        """As the session's."""
        begin = time.perf_counter()
        answers = self._session.run(*arguments)
        self.inside_s += time.perf_counter() - begin
        return answers


class ClockedInference(Inference):
    """One that knows how long it was in ONNX Runtime."""

    def __init__(self, bundle: ModelBundle, batch_sizes: Sequence[int]) -> None:
        super().__init__(bundle, "fp32", batch_sizes)
        self._clocked = Clocked(self._encoder), Clocked(self._decoder)
        self._encoder, self._decoder = self._clocked

    @property
    def inside_s(self) -> float:
        """In ONNX Runtime, in all calls of advance so far."""
        return sum(session.inside_s for session in self._clocked)


class Tick:
    """One frame of each of `streams` streams, whose windows are staggered."""

    def __init__(self, inference: ClockedInference, streams: int) -> None:
        rng, self._manifest, self._inference = np.random.default_rng(0), inference.manifest, inference
        self._states = [inference.new_state() for _ in range(streams)]
        self._features = rng.normal(size=(streams, inference.manifest.features)).astype(np.float32)
        self._frames = count(WINDOW)

    def __call__(self) -> None:
        """The next frame."""
        m, frame = self._manifest, next(self._frames)
        steps = [step_of(row, frame + i, m.forgets_after, m.stride) for i, row in enumerate(self._features)]
        self._inference.advance(self._states, [[step] for step in steps])


def seconds(turn: Callable[[], object]) -> list[float]:
    """Wall time of each of ROUNDS calls."""
    found = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        turn()
        found.append(time.perf_counter() - begin)
    return found


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
    inference = ClockedInference(bundle, (streams // STRIDE + 1, streams))
    tick = Tick(inference, streams)
    spent = seconds(tick)  # Inference has run each batch size once
    outside = 1 - inference.inside_s / sum(spent)
    windows = np.random.default_rng(0).normal(size=(streams, WINDOW, m.features)).astype(np.float32)
    recompute = with_onnxruntime(WholeWindow(m.features, HIDDEN), provider=inference.provider)
    recompute(windows)
    others = seconds(lambda: recompute(windows))
    product_s = streams * operations(m.features, HIDDEN) / STRIDE / products
    copy_s = streams * 2 * 4 * m.slots * HIDDEN / copies
    row = f"gpu/h{HIDDEN}_stride{STRIDE}/{streams}"
    return {
        f"{row}/tick_ms": quartiles([1e3 * s for s in spent]),
        f"{row}/streams": quartiles([streams / s / RATE_HZ for s in spent]),
        f"{row}/floor_ms": quartiles([1e3 * (copy_s + product_s)]),
        f"{row}/copy_share": quartiles([copy_s / s for s in spent]),
        f"{row}/product_share": quartiles([product_s / s for s in spent]),
        f"{row}/python_share": exactly(round(outside, 5)),
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
