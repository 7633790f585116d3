"""What the benchmark of guessed names counts."""

from collections import Counter

from benchmarks.anybody.names import UNKNOWN, Tally, rows_of


def test_precision_is_of_the_time_that_has_a_name_and_coverage_of_the_time_that_should() -> None:
    tally: Tally = Counter(
        {
            ("walk", "walk"): 6,
            ("walk", ""): 2,
            ("walk", UNKNOWN): 5,  # nobody knows: it counts neither for nor against
            ("", "walk"): 4,
            ("", ""): 3,
        }
    )
    found = {row: numbers["value"] for row, numbers in rows_of(tally).items()}
    assert found["names/walk/precision"] == 0.75
    assert found["names/walk/coverage"] == 0.6
    assert found["names/precision"] == 0.75
    assert found["names/coverage"] == 0.6
