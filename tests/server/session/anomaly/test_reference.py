"""The constants of normal motion: what is fitted, by definition, and what is refused."""

import math

import numpy as np
import pytest
from tests.support.anomaly_moments import MEMORY, TWO, detector, fitted, noise, play, reference_of

from motionscribe_models.errors import LayoutError
from motionscribe_server.session.anomaly.detector import AnomalySettings
from motionscribe_server.session.anomaly.reference import AnomalyReference, fit_reference


def test_reference_of_known_noise() -> None:
    arrays = fitted(*(noise(3000, seed) for seed in range(10)))
    assert arrays["anomaly.residual"].tolist() == [pytest.approx(0.0, abs=0.05), pytest.approx(0.5, rel=0.05)]
    assert arrays["anomaly.forecast_error"][1] == pytest.approx(1.0, rel=0.05)
    median, quantile = arrays["anomaly.threshold"]
    assert 0 < median < 1 < quantile < 3


def test_reference_scores_as_the_detector_does() -> None:
    """The quantile of a long recording is the threshold that a stream of it learns, at margin 1."""
    recording = noise(MEMORY, 3)
    arrays = fitted(recording)
    low = AnomalyReference(arrays | {"anomaly.threshold": np.array([0.0, 0.01])})
    d = detector(AnomalySettings(margin=1.0, begin=MEMORY), low)
    play(d, *recording)
    assert d.threshold == pytest.approx(arrays["anomaly.threshold"][1], rel=0.02)


def test_reference_by_definition() -> None:
    """Against numpy: the larger of two running means of robust z scores of logarithms, -3 at least."""
    recordings = [noise(300, seed) for seed in range(3)]
    logs = np.log([np.concatenate([r for r, _ in recordings]), np.concatenate([e.mean(1) for _, e in recordings])])
    medians = np.median(logs, axis=1, keepdims=True)
    spreads = 1.4826 * np.median(np.abs(logs - medians), axis=1, keepdims=True)
    z = np.maximum((logs - medians) / spreads, -3).reshape(2, 3, 300)
    scores = [np.max([np.convolve(row, np.ones(10) / 10, "valid") for row in z[:, k]], axis=0) for k in range(3)]
    arrays = fitted(*recordings)
    for name, median, spread in zip(("residual", "forecast_error"), medians, spreads, strict=True):
        assert arrays[f"anomaly.{name}"].tolist() == [float(median[0]), float(spread[0])]
    expected = np.quantile(np.concatenate(scores), [0.5, 0.99])
    assert arrays["anomaly.threshold"] == pytest.approx(expected, rel=1e-12)


def test_reference_survives_a_few_abnormal_moments() -> None:
    residuals, errors = noise(3000, 5)
    clean = fitted((residuals, errors))["anomaly.residual"]
    residuals[1000:1020] *= 100
    dirty = fitted((residuals, errors))["anomaly.residual"]
    assert dirty.tolist() == [pytest.approx(clean[0], abs=0.02), pytest.approx(clean[1], rel=0.02)]


def test_reference_refuses_what_tells_nothing() -> None:
    with pytest.raises(LayoutError, match="long enough to score, got one of 9 moments"):
        fitted(noise(600, 0), noise(9, 1))
    with pytest.raises(LayoutError, match=r"recordings with moments, got \[600, 0\]"):
        fitted(noise(600, 0), noise(0, 1))
    with pytest.raises(LayoutError, match=r"recordings with moments, got \[\]"):
        fit_reference([])
    with pytest.raises(LayoutError, match="positive spread"):
        fitted((np.ones(100), np.ones((100, 2))))
    with pytest.raises(LayoutError, match="forecast_error: expected a finite median"):
        reference_of(0.0, 1.0, forecast_error=(math.nan, 1.0))
    with pytest.raises(LayoutError, match=r"finite median < quantile, got 1\.0 and 1\.0"):
        reference_of(1.0, 1.0)
    with pytest.raises(LayoutError, match="threshold > 0"):
        detector(TWO, reference_of(-5.0, -4.0))
