"""What the benchmark found, as two pictures for the README: `python -m benchmarks.quality.pictures`.

In: results.json beside this file, and for the ethograms the recordings and the models that have not seen them. Out:
`latency.png`, how good live labels are by how long they may wait, beside what needs no waiting; and `trials.png`, live
and offline labels of some trials below the annotators' segments. Nothing is measured here.
"""

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from benchmarks.quality.left_out import left_out
from benchmarks.quality.offline import link
from benchmarks.quality.protocols import labelled
from motionscribe_training.evaluation.evaluate import replay_recording
from motionscribe_training.evaluation.metrics import Labels, match_clusters
from motionscribe_training.evaluation.pictures import COLOURS, FONT, INK, WIDTH_IN, Ethogram, draw_ethogram, ethogram
from motionscribe_training.fitting.first_clusters import partition

LATENCIES = ("0", "0.5", "1", "2", "3")
METRICS = {"accuracy": "frame accuracy", "ari": "adjusted Rand index", "boundary_f1": "boundary F1"}
CURVES = {"live": "live, settings of the other trials", "fixed": "live, as shipped"}
REFERENCES = {
    "accuracy": {"two annotators": 0.922},
    "ari": {"two annotators": 0.866, "Time2State as reported": 0.781},
    "boundary_f1": {},
}
"""Two published annotations of nine trials against each other; Time2State on four joint angles, offline."""
DPI = 120
SHOWN = ("01", "03", "07")
HERE = Path(__file__).parent


def save_latency(path: Path, results: Mapping[str, Any]) -> None:
    """A panel for each of METRICS: means over trials, for the first of CURVES also the seeds' least and most."""
    figure = Figure(figsize=(WIDTH_IN, 3.6), dpi=DPI, layout="constrained")
    seconds = [float(latency) for latency in LATENCIES]
    styles: dict[str, Any] = {}
    for axes, (metric, title) in zip(figure.subplots(1, len(METRICS)), METRICS.items(), strict=True):
        for number, (row, label) in enumerate(CURVES.items()):
            found = [results[f"{row}/{latency}/{metric}"] for latency in LATENCIES]
            means = [x["value"] for x in found]
            (styles[label],) = axes.plot(seconds, means, "o-", color=COLOURS[number], markersize=3, zorder=4 - number)
            if number == 0:
                spread = [x["low"] for x in found], [x["high"] for x in found]
                styles["its least to most of three seeds"] = axes.fill_between(
                    seconds, *spread, color=COLOURS[number], alpha=0.13, linewidth=0
                )
        whole = results[f"blind_offline/{metric}"]["value"]
        styles["whole recording at once"] = axes.axhline(whole, color=COLOURS[2], linewidth=1.5, zorder=1)
        for (label, value), dashes in zip(REFERENCES[metric].items(), ("--", ":"), strict=False):
            styles[label] = axes.axhline(value, color=INK, linewidth=1, linestyle=dashes, zorder=1)
        axes.set_title(title, fontsize=FONT + 1, loc="left", color=INK)
        axes.set_xlabel("label is final after, s", fontsize=FONT, color=INK)
        axes.set_xticks(seconds, LATENCIES)
        axes.set_ylim(0, 1)
        axes.tick_params(labelsize=FONT, colors=INK)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(
        list(styles.values()), list(styles), loc="outside lower center", ncols=4, fontsize=FONT, frameon=False
    )
    figure.savefig(path, format="png")


def save_trials(path: Path, data: Path) -> None:
    """A panel for each trial of SHOWN."""
    bars = {name: trial_bars(data, name) for name in SHOWN}
    figure = Figure(figsize=(WIDTH_IN, 1.85 * len(bars)), dpi=DPI, layout="constrained")
    for axes, (name, drawn) in zip(figure.subplots(len(bars), 1), bars.items(), strict=True):
        draw_ethogram(axes, drawn)
        axes.set_title(f"CMU trial 86_{name}", fontsize=FONT + 1, loc="left", color=INK)
    figure.savefig(path, format="png")


def trial_bars(data: Path, name: str) -> Ethogram:
    """Annotated, live and offline segments of one recording, by the settings as shipped."""
    model, (recording, annotation) = left_out(data, name), labelled(data, name)
    served, truth = model.served(1.0, {}), annotation.fitted(len(recording.frames))
    live = replay_recording(served, model.inference(), recording, annotation, "balanced").final
    whole = link(partition(model.centred([recording])[0], served.penalty), radius=served.radius)
    classes = truth.labels(len(recording.frames))
    times = recording.timestamps_us
    moment = np.minimum(((times - times[0]) / 1e6 / served.moment_s).astype(int), len(whole) - 1)
    predicted = {"live, 1 s": live, "whole recording": whole[moment]}
    edges = times[np.array(truth.boundaries, np.int64).reshape(-1, 3).clip(0, len(times) - 1)]
    matched = {title: named(classes, labels) for title, labels in predicted.items()}
    most = max(int(labels.max()) for labels in matched.values())
    texts = dict.fromkeys(range(most + 1), " ") | dict(enumerate(truth.names))  # what shows no action is left blank
    return ethogram(times, matched, classes, truth.names, edges, texts)


def named(classes: Labels, labels: Labels) -> Labels:
    """Clusters (n,) as the numbers of the `classes` (n,) that they show most; what shows none has a number above."""
    known = (classes >= 0) & (labels >= 0)
    renamed = labels.copy()
    renamed[known] = match_clusters(classes[known], labels[known])
    return renamed


def main() -> None:
    """Draws both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("docs/pictures"))
    options = parser.parse_args()
    save_latency(options.out / "latency.png", json.loads((HERE / "results.json").read_text()))
    save_trials(options.out / "trials.png", options.data.resolve())


if __name__ == "__main__":
    main()
