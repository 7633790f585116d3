"""Moments of an anomaly detector whose scores are known by construction, and noise for which constants are fitted."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.detector import AnomalyDetector, AnomalySettings
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.reference import AnomalyReference, anomaly_arrays, fit_reference
from motionscribe_server.session.span import Span

JOINTS = ("hip", "knee", "ankle", "spine", "head", "elbow", "wrist")
JOINT_OF = np.repeat(np.arange(7), 3)


def reference_of(median: float, quantile: float, **arrays: tuple[float, float]) -> AnomalyReference:
    """Constants by which the z score of a value is its logarithm, unless given."""
    usual = {name: (0.0, 1.0) for name, shape in anomaly_arrays().items() if shape == (2,)}
    given = {f"anomaly.{name}": pair for name, pair in {**arrays, "threshold": (median, quantile)}.items()}
    return AnomalyReference({name: np.array(pair) for name, pair in {**usual, **given}.items()})


UNIT = reference_of(0.0, 1.0)
TWO = AnomalySettings(margin=2.0, begin=5, end=10, burn_in=20, patience=100)
"""With UNIT the threshold is 2, and events end below 1.6."""
MEMORY = TWO.memory


def span(k: int) -> Span:
    """Moment k of a stream of 30 frames a second."""
    return Span(3 * k + 1, 3 * k + 4, 100_000 * k, 100_000 * (k + 1))


def error_of(z: float, joint: int | None = None) -> NDArray[np.float64]:
    """Errors (F,) with mean exp(z), spread evenly or four fifths in one joint."""
    weights = np.ones(len(JOINT_OF))
    if joint is not None:
        weights = np.where(joint == JOINT_OF, 0.8 / 3, 0.2 / 18)
    errors: NDArray[np.float64] = np.exp(z) * weights / weights.mean()
    return errors


def seen(residual: float, error: NDArray[np.float64], span: Span) -> Observation:
    """A moment of three frames: noise that is the livelier, the larger the residual."""
    frames = residual * np.random.default_rng(span.start_seq).normal(size=(3, len(error))).astype(np.float32)
    return Observation(span=span, frames=frames, residual=residual, forecast_error=error)


def feed(detector: AnomalyDetector, z: Iterable[float], first: int = 0, joint: int | None = None) -> list[Anomaly]:
    """Moments whose residual has the scores z, and whose error stays normal but for where it lies."""
    events = []
    for k, value in enumerate(z):
        events += detector.update(seen(math.exp(value), error_of(0.0, joint), span(first + k)))
    return events


def detector(settings: AnomalySettings = TWO, reference: AnomalyReference = UNIT) -> AnomalyDetector:
    return AnomalyDetector(reference, JOINT_OF, JOINTS, settings)


Noise = tuple[NDArray[np.float64], NDArray[np.float64]]


def noise(n: int, seed: int, scale: float = 1.0) -> Noise:
    """Residuals (n,) and errors (n,F) of normal motion: logarithms wander with a memory of half a second."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(size=(2, n))
    for k in range(1, n):
        logs[:, k] = 0.8 * logs[:, k - 1] + 0.6 * logs[:, k]
    return np.exp(0.5 * scale * logs[0]), np.exp(scale * logs[1])[:, None] * rng.dirichlet(np.ones(len(JOINT_OF)), n)


def moments(residuals: NDArray[np.float64], errors: NDArray[np.float64]) -> list[Observation]:
    return [seen(float(r), e, span(k)) for k, (r, e) in enumerate(zip(residuals, errors, strict=True))]


def fitted(*recordings: Noise) -> dict[str, NDArray[np.float64]]:
    return fit_reference([moments(*recording) for recording in recordings])


def play(detector: AnomalyDetector, residuals: NDArray[np.float64], errors: NDArray[np.float64]) -> list[Anomaly]:
    return [event for moment in moments(residuals, errors) for event in detector.update(moment)]
