"""What the benchmarks of speed found, as a picture for the README: `python -m benchmarks.speed.plots`.

In: results.json beside this file. Out: docs/pictures/speed.png, the p99 of services by their streams beside the
processor time of a window by its network. Nothing is measured here.
"""

import argparse
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from motionscribe_training.evaluation.pictures import COLOURS, INK, WIDTH_IN

SERVICES = {
    "service/h512_k5": "motionscribe, 5 frames a message",
    "service/h512_k1": "motionscribe, 1 frame a message",
    "service/simple_k5": "one ONNX Runtime call a window",
}
KERNELS = {
    "int8_stride5": "motionscribe, 8 bits",
    "fp32_stride5": "motionscribe, 32 bits",
    "onnxruntime_fp32": "ONNX Runtime, 16 windows a call",
    "torch_eager": "PyTorch, 16 windows a call",
}
HIDDEN = (256, 512, 1024)
LIMIT_MS = 100
DPI = 120

Results = Mapping[str, Any]


def draw_services(axes: Any, results: Results) -> None:
    """p99 by streams, with the least and the most of the rounds."""
    for number, (row, label) in enumerate(SERVICES.items()):
        found = {int(m[1]): results[name] for name in results if (m := re.fullmatch(rf"{row}/at_(\d+)_p99_ms", name))}
        streams = sorted(found)
        values, lows, highs = ([found[n][part] for n in streams] for part in ("value", "low", "high"))
        axes.plot(streams, values, "o-", color=COLOURS[number], markersize=3, label=label)
        axes.fill_between(streams, lows, highs, color=COLOURS[number], alpha=0.2, linewidth=0)
    axes.axhline(LIMIT_MS, color=INK, linewidth=0.8, linestyle=":")
    axes.set(yscale="log", xlabel="live streams on two cores", ylabel="p99 from frame to label, ms")
    axes.legend(frameon=False, fontsize="small")


def draw_kernels(axes: Any, results: Results) -> None:
    """Milliseconds of one thread for a window, 16 streams at a time."""
    width = 0.8 / len(KERNELS)
    for number, (row, label) in enumerate(KERNELS.items()):
        heights = [results[f"kernel/h{hidden}/{row}/window_ms"]["value"] for hidden in HIDDEN]
        places = [place + (number - (len(KERNELS) - 1) / 2) * width for place in range(len(HIDDEN))]
        axes.bar(places, heights, width, color=COLOURS[number], label=label)
    axes.set_xticks(range(len(HIDDEN)), [f"{hidden} units" for hidden in HIDDEN])
    axes.set(yscale="log", ylabel="processor time of a window, ms")
    axes.legend(frameon=False, fontsize="small")


def main() -> None:
    """Draws."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/pictures/speed.png"))
    options = parser.parse_args()
    results = json.loads(Path(__file__).with_name("results.json").read_text())
    figure = Figure(figsize=(WIDTH_IN, 3.6), dpi=DPI, layout="constrained")
    left, right = figure.subplots(1, 2)
    draw_services(left, results)
    draw_kernels(right, results)
    figure.savefig(options.out)


if __name__ == "__main__":
    main()
