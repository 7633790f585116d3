"""What residuals and forecast errors of normal motion look like: fitted offline, read by the anomaly detector of each
stream.

Residual and error are positive and range over decades with the vigour of motion, so both are compared as logarithms, by
median and median absolute deviation, which a few abnormal moments among the normal ones do not move.
Six numbers in a model's arrays: `AnomalyReference(*array)` reads what `dataclasses.astuple` wrote.
"""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError

QUANTILE = 0.99
"""The highest that ten minutes of moments tell reliably: 60 of them lie above it."""
SMOOTH = 10
"""Moments that a score averages, one second: states pooled over 1 to 2.5 s cluster well, single ones
poorly."""
CALM = -3.0
"""Lowest z score: stillness is forecast all but exactly, and what follows it must not need a second to outweigh
that."""
TINY = 1e-12
MAD_TO_SIGMA = 1.4826
"""Standard deviation of a normal distribution in units of its median absolute deviation."""


@dataclass(frozen=True)
class AnomalyReference:
    """Medians and spreads of normal motion. Raises LayoutError where a spread is not positive."""

    residual_median: float
    """Of the logarithm."""
    residual_spread: float
    """Robust standard deviation of the logarithm."""
    error_median: float
    """Of the logarithm of the mean over features."""
    error_spread: float
    score_median: float
    """Of the scores that these four give the same recordings."""
    score_quantile: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(value) for value in astuple(self)):
            raise LayoutError(f"expected finite numbers, got {self}")
        if not (self.residual_spread > 0 and self.error_spread > 0 and self.score_quantile > self.score_median):
            raise LayoutError(f"expected positive spreads and score_quantile > score_median, got {self}")

    def z_scores(self, residuals: NDArray[np.floating], errors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Robust z scores (2,n) of residuals (n,) and mean errors (n,), CALM at least."""
        z = (
            (_log(residuals) - self.residual_median) / self.residual_spread,
            (_log(errors) - self.error_median) / self.error_spread,
        )
        return np.maximum(np.array(z), CALM)


def fit_reference(recordings: Sequence[tuple[NDArray[np.floating], NDArray[np.floating]]]) -> AnomalyReference:
    """The reference of recordings of normal motion, each as residuals (n,) and errors (n,F) of its moments in order.

    Give recordings that the network was not trained on: the others it knows too well. Each needs a second at least.
    """
    means = [(np.asarray(r), np.mean(e, axis=1)) for r, e in recordings]
    if not means or min(len(r) for r, _ in means) < SMOOTH:
        raise LayoutError(f"expected recordings of at least {SMOOTH} moments, got {[len(r) for r, _ in means]}")
    residual, error = (_robust(_log(np.concatenate(column))) for column in zip(*means, strict=True))
    plain = AnomalyReference(*residual, *error, 0.0, 1.0)
    box = np.ones(SMOOTH) / SMOOTH
    scores = [np.max([np.convolve(z, box, "valid") for z in plain.z_scores(r, e)], axis=0) for r, e in means]
    median, quantile = np.quantile(np.concatenate(scores), [0.5, QUANTILE])
    return AnomalyReference(*residual, *error, float(median), float(quantile))


def _log(values: NDArray[np.floating]) -> NDArray[np.float64]:
    logs: NDArray[np.float64] = np.log(np.maximum(values, TINY))
    return logs


def _robust(values: NDArray[np.float64]) -> tuple[float, float]:
    median = float(np.median(values))
    return median, MAD_TO_SIGMA * float(np.median(np.abs(values - median)))
