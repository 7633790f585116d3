"""What evaluate prints and writes: a line for each row and mean, numbers that JSON can hold."""

import json
import math

from tests.support.emitted_labels import HALVES, stream, take

from motionscribe_training.evaluation.evaluate import gather_labels, score_replayed
from motionscribe_training.evaluation.table import Row, manifest_metrics, mean_rows, numbers, table


def rows() -> list[Row]:
    good = gather_labels(stream(*[1] * 50, *[2] * 50, late=10), take(), HALVES, "balanced")
    poor = gather_labels(stream(*[1] * 100, late=10), take(), HALVES, "balanced")
    return [
        Row("take", "balanced", "final", score_replayed(good)),
        Row("a-take-with-a-long-name", "balanced", "final", score_replayed(poor)),
        Row("take", "balanced", "first", score_replayed(good, "first")),
    ]


def test_the_table_has_a_line_for_each_row_and_mean() -> None:
    lines = table(rows()).splitlines()
    heading = lines[0].split()
    cells = [dict(zip(heading, line.split(), strict=True)) for line in lines[1:6]]
    assert [(c["recording"], c["labels"]) for c in cells] == [
        ("take", "final"),
        ("a-take-with-a-long-name", "final"),
        ("take", "first"),
        ("mean", "final"),
        ("mean", "first"),
    ]
    assert [c["acc"] for c in cells] == ["1.000", "0.500", "0.500", "0.750", "0.500"]
    assert [c["delay"] for c in cells] == ["1.10", "never", "never", "never", "never"]
    assert [c["p95"] for c in cells] == ["1.10", "-", "-", "1.10", "-"]
    assert len({len(line) for line in lines[:6]}) == 1


def test_what_is_infinite_or_undefined_is_left_out_of_json_and_manifest() -> None:
    means = mean_rows(rows())
    assert math.isinf(means[0].score.delay_median_s or 0)
    assert "delay_median_s" not in numbers(means[0].score)
    assert numbers(means[0].score)["never_found"] == 0.5
    metrics = manifest_metrics(rows())
    assert metrics["balanced.accuracy"] == 0.75
    assert all(name.startswith("balanced.") and math.isfinite(value) for name, value in metrics.items())
    json.dumps(metrics, allow_nan=False)
