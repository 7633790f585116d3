"""The figures of docs/7-results.md and of the README are those of the benchmarks' results.json."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.test_docs import DOCS, ROOT, rows_under

RESULTS = DOCS / "7-results.md"
PRESETS = {"`fast`": "fast-final", "`balanced`": "balanced-final", "`stable`": "stable-final"}
LABELS = {
    "live, as first shown": "live/0",
    "live, 0.5 s": "live/0.5",
    "live, 1 s": "live/1",
    "live, 2 s": "live/2",
    "live, 3 s": "live/3",
    "live, 1 s, as shipped": "fixed/1",
    "live, 3 s, as shipped": "fixed/3",
    "live, 1 s, motion alone": "motion/1",
    "live, 3 s, motion alone": "motion/3",
    "live, 1 s, other people": "cross_person/1",
    "live, 3 s, other people": "cross_person/3",
    "whole recording": "blind_offline",
    "whole recording, motion alone": "blind_offline_motion",
    "the paper's way, true boundaries and number given": "published/boundaries_given",
    "the same, untrained network": "published/untrained",
    "the same, windows slide over everything": "published/sliding",
    "k-means of our embedding, whole recording, number given": "peers/embedding_kmeans",
    "k-means of poses, whole recording, number given": "peers/pose_kmeans",
    "DP-means alone, live": "peers/dpmeans_alone",
    "CluStream on our embedding, live": "peers/clustream",
    "DBSTREAM on our embedding, live": "peers/dbstream",
    "ruptures on our embedding, whole recording, number of cuts given": "peers/ruptures_embedding",
    "ruptures on poses, the same": "peers/ruptures_pose",
    "BOCPD on prediction error, live": "peers/bocpd",
    "Page-Hinkley on prediction error, live": "peers/page_hinkley",
    "ClaSP": "peers/clasp",
    "one label for all": "peers/one_label",
}
BODIES = ["clean", "noise4", "drop20", "rootless", "low15", "people", "flat2d"]
FAULTY = ["swap", "freeze", "dropout", "jump", "drift", "tremor", "limp", "all"]
WAYS = ["distance", "pca_64", "prediction_error", "one_class_svm", "half_space_trees"]
SERVICES = ["h512_k1", "h512_k5", "h512_120hz_k20", "h512_stride25_k5", "simple_k5"]
FAULTS = ["kill", "worker", "rolling", "network", "partition", "flat_out"]
OTHERS = [
    ["edits/rounds", "edits/edits", "edits/undone", "edits/lost", "edits/repeated"],
    ["cancel/rounds", "cancel/frames", "cancel/lost", "cancel/repeated"],
    ["hung_worker/opens", "hung_worker/errors", "hung_worker/open_p99_s"],
    ["gap_storm/p99_ratio"],
    ["health/watches", "health/memory_mib", "health/plain_memory_mib"],
    ["ids_1e6/load_ms", "ids_1e6/save_ms"],
]


def results(benchmark: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks" / benchmark / "results.json").read_text("utf-8"))
    return found


def check(cell: str, figure: dict[str, float]) -> None:
    """Each number of a cell, in its own precision: the value, then the least and the most where they are given."""
    numbers = re.findall(r"-?\d+(?:\.\d+)?", cell)
    assert len(numbers) in (1, 3), cell
    for text, name in zip(numbers, ("value", "low", "high"), strict=False):
        half = 0.5 * 10.0 ** -len(text.partition(".")[2])
        assert abs(float(text) - figure[name]) <= half * 1.01, (cell, name, figure[name])


def test_presets() -> None:
    blind = results("blind")
    columns = ["frame accuracy (low to high)", "adjusted Rand index", "F1@50", "boundary F1", "clusters for actions"]
    rows = rows_under(RESULTS, "preset", "label is final after", *columns)
    assert [row[0] for row in rows] == list(PRESETS)
    for preset, _, accuracy, ari, f1, boundary, clusters in rows:
        for cell, metric in ((accuracy, "accuracy"), (ari, "ari"), (f1, "f1_50"), (boundary, "boundary_f1")):
            check(cell, blind[f"{PRESETS[preset]}/{metric}"])
        for cell, metric in zip(clusters.split(" for "), ("clusters", "classes"), strict=True):
            check(cell, blind[f"{PRESETS[preset]}/{metric}"])


def test_labels_beside_other_ways() -> None:
    quality = results("quality")
    columns = {
        "frame accuracy": "accuracy",
        "adjusted Rand index": "ari",
        "F1@50": "f1_50",
        "boundary F1": "boundary_f1",
        "delay, s": "delay_median_s",
    }
    rows = rows_under(RESULTS, "labels", *columns)
    assert [row[0] for row in rows] == list(LABELS)
    for label, *cells in rows:
        for cell, metric in zip(cells, columns.values(), strict=True):
            if cell != "-":
                check(cell, quality[f"{LABELS[label]}/{metric}"])


def test_any_body() -> None:
    found = results("anybody")
    columns = ("source", "1 s", "3 s", "first 10 s, at 1 s", "taken back, at 1 s")
    for (_, *cells, first, back), name in zip(rows_under(RESULTS, *columns), BODIES, strict=True):
        for cell, seconds in zip(cells, (1, 3), strict=True):
            for number, metric in zip(cell.split(" / "), ("accuracy", "ari"), strict=True):
                check(number, found[f"{name}/{seconds}/{metric}"])
        check(first, found[f"{name}/1/first_10_s"])
        check(back, found[f"{name}/1/taken_back"])


def test_alarms() -> None:
    found = results("anomaly")
    falls = rows_under(RESULTS, "fall", "noticed, of 20", "median delay")
    for (_, noticed, delay), name in zip(falls, ("fall", "fall_backwards", "fall_sideways", "collapse"), strict=True):
        check(noticed, found[f"falls/{name}/detected"])
        check(delay, found[f"falls/{name}/delay_s"])
    budgets = ("at 0.5", "at 6", "at 60")
    metrics = ("detected_05h", "detected_6h", "detected_60h", "delay_s", "named", "auc")
    faults = rows_under(RESULTS, "fault", *budgets, "median delay", "joint named", "AUC of moments")
    for (_, *cells), name in zip(faults, FAULTY, strict=True):
        for cell, metric in zip(cells, metrics, strict=True):
            check(cell, found[f"faults/{name}/{metric}"])
    ways = rows_under(RESULTS, "way", *budgets, "AUC of moments")
    for (_, *cells), name in zip(ways, WAYS, strict=True):
        for cell, metric in zip(cells, (*metrics[:3], "auc"), strict=True):
            check(cell, found[f"faults/{name}/{metric}"])
    columns = ("F1", "rows of false alarms", "rows missed", "valves found, of 20")
    valves = rows_under(RESULTS, "false alarms an hour, by budget", *columns)[:3]
    for (_, *cells), name in zip(valves, ("valve_6h", "valve", "valve_60h"), strict=True):
        for cell, metric in zip(cells, ("f1", "far", "missed", "found"), strict=True):
            check(cell, found[f"skab/{name}/{metric}"])


def test_layers_and_maps() -> None:
    found, page = results("explain"), DOCS / "8-inside-the-network.md"
    columns = (
        "smoothness",
        "labels in random order",
        "untrained networks",
        "advantage of training, ± two standard errors",
    )
    for layer, smoothness, null, untrained, advantage in rows_under(page, "layer", *columns):
        row = f"geometry/{layer.replace(' ', '_')}"
        check(smoothness, found[f"{row}/smoothness"])
        check(null, found[f"{row}/null"])
        check(untrained, found[f"{row}/untrained"])
        if layer != "input":
            check(advantage.partition(" ")[0], found[f"{row}/advantage"])
    for layer, *cells in rows_under(page, "layer", "half", "double"):
        for cell, speed in zip(cells, ("half", "double"), strict=True):
            own, _, untrained = cell.rstrip(")").partition(" (")
            check(own, found[f"speed/{layer.replace(' ', '_')}/{speed}"])
            check(untrained, found[f"speed/{layer.replace(' ', '_')}/untrained_{speed}"])
    for title, *cells in rows_under(page, "map", "Spearman", "random", "better than random, of all segments"):
        kind = title.removeprefix("Grad-CAM, ").removesuffix(", joint by time").replace(" ", "_")
        for cell, metric in zip(cells, ("spearman", "random", "explains"), strict=True):
            check(cell, found[f"maps/{kind}/{metric}"])


def test_streams_of_a_server() -> None:
    speed = results("speed")
    rows = rows_under(RESULTS, "server", "feed", "label every", "streams", "99 % within")
    for (*_, streams, within), name in zip(rows, SERVICES, strict=True):
        check(streams, speed[f"service/{name}/streams"])
        check(within, speed[f"service/{name}/p99_ms"])


def test_faults() -> None:
    faults = results("faults")
    rows = rows_under(RESULTS, "what happens", "rounds", "events", "lost", "repeated", "pause")
    for (_, *cells), name in zip(rows, FAULTS, strict=True):
        for cell, metric in zip(cells, ("rounds", "events", "lost", "repeated", "pause_p50_s"), strict=True):
            check(cell, faults[f"{name}/{metric}"])


def test_what_one_can_do_to_others() -> None:
    faults = results("faults")
    rows = rows_under(RESULTS, "who", "what happens", "found")
    for (*_, found), metrics in zip(rows, OTHERS, strict=True):
        numbers = re.findall(r"\d+(?:\.\d+)?", found.replace("99 of 100", ""))
        for text, metric in zip(numbers, metrics, strict=True):
            check(text, faults[metric])


@pytest.mark.parametrize(
    ("text", "benchmark", "figure", "percent"),
    [
        ("91 % when labels are final after 3 s", "anybody", "clean/3/accuracy", True),
        ("88 % after 1 s", "anybody", "clean/1/accuracy", True),
        ("87 %; from one", "anybody", "drop20/1/accuracy", True),
        ("80 % | `python -m benchmarks.anybody", "anybody", "flat2d/1/accuracy", True),
        ("100, for 99 % of moments", "speed", "service/h512_k5/streams", False),
        ("25 | `python -m benchmarks.speed.service`", "speed", "service/simple_k5/streams", False),
        ("0 of 3740 events", "faults", "kill/lost", False),
        ("80 of 80 synthetic falls", "anomaly", "falls/detected", False),
        ("79 % of 280 faults", "anomaly", "faults/all/detected_6h", True),
    ],
)
def test_the_headlines(text: str, benchmark: str, figure: str, percent: bool) -> None:
    assert text in (ROOT / "README.md").read_text("utf-8")
    value = results(benchmark)[figure]["value"]
    assert int(text.split()[0].rstrip(",")) == round(100 * value if percent else value)


def test_every_command_is_a_module() -> None:
    text = RESULTS.read_text("utf-8") + (ROOT / "README.md").read_text("utf-8")
    for module in re.findall(r"python -m (benchmarks[\w.]*)", text):
        path = Path(ROOT, *module.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), module
