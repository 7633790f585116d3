"""Moments of a made-up stream for the parts of the anomaly detector: what each says is chosen, nothing is measured."""

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from tests.support.anomaly_arrays import TENFOLD, Knots, made_up_anomaly
from tests.support.made_up_session import SKELETON, D

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations import Representation
from motionscribe_models.representations.features import Features
from motionscribe_proto.events import Anomaly
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.reference import AnomalyReference
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.span import Span

NOTHING = np.zeros(0)
ANY = 36_000.0
"""False alarms an hour at any moment of MOMENT_S: what an order of actions says that is not unusual."""


class Moving(Features):
    """Columns that have no level, as those of a body."""

    has_levels = False


class MovingMap(FeatureMap):
    """A skeleton of columns as one of Moving."""

    @cached_property
    def representation(self) -> Representation:
        """Whatever the skeleton says."""
        return Moving()


PLANE = MovingMap(SKELETON, (0, 1))
"""Two columns: two sensors, two groups."""
MOMENT_S = 0.1
FRAMES = 3
"""Of a moment."""
BUDGET = 0.72
LIMIT = 5.0
"""The z at which a score of TENFOLD that shares the budget with another begins an alarm: 36000 * 2 / 10^z = BUDGET."""
HIGH, LOW = LIMIT + 1, 0.0
JUMP = {"jump": TENFOLD}


def plane_reference(knots: Mapping[str, Knots]) -> AnomalyReference:
    """Constants of the plane; z of a number is its logarithm; scores that `knots` does not name say nothing."""
    return AnomalyReference(PLANE, made_up_anomaly(PLANE, D, knots), D)


def plane_detector(knots: Mapping[str, Knots], budget: float, moment_s: float = MOMENT_S) -> AnomalyDetector:
    """Of one stream of the plane; each kind has the same budget."""
    return AnomalyDetector(plane_reference(knots), SKELETON.joints, moment_s, budgets_of(budget))


def budgets_of(budget: float) -> dict[Kind, float]:
    return dict.fromkeys(Kind, budget)


def span_of(moment: int, lost: int = 0, moment_s: float = MOMENT_S) -> Span:
    """Of moment 0, 1, .. after `lost` frames that never came."""
    first = 1 + FRAMES * moment + lost
    moment_us = round(moment_s * 1e6)
    start_us = moment * moment_us + lost * moment_us // FRAMES
    return Span(first, first + FRAMES, start_us, start_us + moment_us)


def observation(
    span: Span,
    jump: tuple[float, float] = (0.0, 0.0),
    misfit: tuple[float, float] = (0.0, 0.0),
    strangeness: float = 0.0,
) -> Observation:
    """What is given are z scores: the numbers are their exponentials."""
    ones: Array = np.ones(2)
    sensed, strange = Sensed(np.exp(jump), ones, 1e-3 * ones), float(np.exp(strangeness))
    return Observation(span, sensed, np.exp(misfit), strange, 1.0, np.zeros(2, np.float32), NOTHING, ANY, ANY)


def feed(detector: AnomalyDetector, jumps: Sequence[float], first: int = 0) -> list[Anomaly]:
    """Moments of which sensor x jumps so far."""
    events = []
    for moment, jump in enumerate(jumps, first):
        events += detector.update(observation(span_of(moment), (jump, LOW)))
    return events


def phases(events: Sequence[Anomaly]) -> list[str]:
    return [event.phase for event in events]
