"""Intervals of 95 % for what was counted: exact ones, since there is little to count."""

from collections.abc import Sequence

from scipy.stats import binomtest, chi2

from benchmarks.results import Numbers

OUTSIDE = 0.05
"""Chance that the truth lies outside."""


def poisson_ratio(count: int, expected: float) -> Numbers:
    """How many times as often something happened as was expected; n is how often (Garwood 1936)."""
    low = float(chi2.ppf(OUTSIDE / 2, 2 * count)) / 2 if count else 0.0
    high = float(chi2.ppf(1 - OUTSIDE / 2, 2 * count + 2)) / 2
    value, low, high = (round(number / expected, 3) for number in (count, low, high))
    return {"value": value, "low": low, "high": high, "n": count}


def share(hits: Sequence[bool]) -> Numbers:
    """Of what was hit (Clopper and Pearson 1934)."""
    count, of = sum(map(bool, hits)), len(hits)
    found = binomtest(count, of).proportion_ci(1 - OUTSIDE, "exact")
    low, high = round(float(found.low), 3), round(float(found.high), 3)
    return {"value": round(count / of, 3), "low": low, "high": high, "n": of}
