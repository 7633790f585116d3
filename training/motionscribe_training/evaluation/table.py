"""Scores of recordings as rows: their means, a table for people, and numbers by name for files.

In: Rows, one per recording, lag and kind of labels. Out: text and dictionaries. Nothing is scored here (metrics.py).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from motionscribe_models.lags import Lag
from motionscribe_training.evaluation.metrics import Score, mean_score


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    recording: str
    lag: Lag
    labels: str
    """"final", or "first": as they were first shown."""
    score: Score


COLUMNS = {
    "accuracy": "acc",
    "ari": "ARI",
    "nmi": "NMI",
    "f1_10": "F1@10",
    "f1_25": "F1@25",
    "f1_50": "F1@50",
    "edit": "edit",
    "boundary_f1": "bF1",
    "boundary_f1_half_second": "bF1.5",
    "delay_median_s": "delay",
    "delay_p95_s": "p95",
    "never_found": "never",
    "segments_per_true": "segs",
    "clusters": "ids",
    "classes": "true",
}
"""Attribute of Score, also the name in JSON and in manifests -> heading in the table."""

LEGEND = """\
acc frame accuracy, clusters matched to actions; bF1 boundaries inside the annotators' tolerance, bF1.5 within 0.5 s;
delay median seconds to the first right label that stays (p95 of those found, never: share not found);
segs segments per true one; ids clusters used, true actions annotated"""


def mean_rows(rows: Sequence[Row]) -> list[Row]:
    """One row named "mean" for each lag and kind of labels."""
    groups: dict[tuple[Lag, str], list[Score]] = {}
    for row in rows:
        groups.setdefault((row.lag, row.labels), []).append(row.score)
    return [Row("mean", lag, labels, mean_score(scores)) for (lag, labels), scores in groups.items()]


def numbers(found: Score) -> dict[str, float]:
    """Metrics by name, without those that are undefined or infinite."""
    values: dict[str, float | None] = {name: getattr(found, name) for name in COLUMNS}
    return {name: value for name, value in values.items() if value is not None and math.isfinite(value)}


def table(rows: Sequence[Row]) -> str:
    """Rows and their means as text, a line each, in columns."""
    widest = max(len("recording"), *(len(row.recording) for row in rows))
    lines = [
        " ".join([f"{'recording':{widest}} {'lag':8} {'labels':6}", *(f"{heading:>5}" for heading in COLUMNS.values())])
    ]
    for row in [*rows, *mean_rows(rows)]:
        cells = [_cell(name, getattr(row.score, name)) for name in COLUMNS]
        lines.append(" ".join([f"{row.recording:{widest}} {row.lag:8} {row.labels:6}", *cells]))
    return "\n".join([*lines, LEGEND])


def manifest_metrics(rows: Sequence[Row]) -> dict[str, float]:
    """Means of the final labels as `<lag>.<metric>`, for the manifest of a model."""
    means = [row for row in mean_rows(rows) if row.labels == "final"]
    return {f"{row.lag}.{name}": value for row in means for name, value in numbers(row.score).items()}


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "    -"
    if math.isinf(value):
        return "never"
    digits = {"clusters": 1, "classes": 1, "delay_median_s": 2, "delay_p95_s": 2, "segments_per_true": 2}.get(name, 3)
    return f"{value:5.{digits}f}"
