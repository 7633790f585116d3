"""Constants that were fitted, on streams like those that they were fitted to: alarms are as rare as the budget says."""

from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.anomaly_arrays import made_up_anomaly
from tests.support.made_up_motion import MOMENT_S, SPACE, STRIDE, made_up, made_up_pose_model

from motionscribe_models.body.skeleton import BODY
from motionscribe_server.session.anomaly.detector import AnomalyDetector
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.pose_model import groups_of
from motionscribe_server.session.anomaly.reference import AnomalyReference, normal_of, rates_of
from motionscribe_server.session.span import Span
from motionscribe_training.fitting import anomaly as module
from motionscribe_training.fitting.anomaly import fit_anomaly
from motionscribe_training.fitting.durations import Durations

BUDGET = 60.0
MOMENTS = 2000


@pytest.fixture
def constants(monkeypatch: pytest.MonkeyPatch) -> dict[str, NDArray[np.float64]]:
    """Tremor and jump are those of eight minutes of noise; other scores say nothing."""
    monkeypatch.setattr(module, "fit_pose_model", made_up_pose_model)
    fitted = fit_anomaly(
        SPACE, [made_up(number, 120.0) for number in range(4)], STRIDE, Durations(MOMENT_S, {}), seed=0
    )
    arrays = made_up_anomaly(SPACE, 2)
    return {
        **arrays,
        **{name: fitted[name] for score in ("tremor", "jump") for name in (normal_of(score), rates_of(score))},
    }


def begun(constants: dict[str, NDArray[np.float64]], kind: Kind, gaps: Iterable[int]) -> int:
    """Alarms of a kind that begin on other noise; a frame is lost before each moment of `gaps`."""
    detector = AnomalyDetector(
        AnomalyReference(SPACE, constants, 2), BODY.joints, MOMENT_S, dict.fromkeys(Kind, BUDGET)
    )
    ones, lost, places, found = np.ones(len(groups_of(SPACE))), 0, set(gaps), 0
    features = np.zeros(SPACE.width, np.float32)
    for number, sensed in enumerate(made_up(9, MOMENTS * MOMENT_S).sensed):
        lost += number in places
        first = 1 + STRIDE * number + lost
        span = Span(first, first + STRIDE, 33_333 * first, 33_333 * (first + STRIDE))
        events = detector.update(Observation(span, sensed, ones, 1.0, 1.0, features, np.zeros(0), 1e5, 1e5))
        found += sum(event.phase == "begun" and event.kind == kind.value for event in events)
    return found


def most(scores: int) -> float:
    """Alarms that chance gives once in ten thousand times, where so many scores share the budget."""
    expected = BUDGET / scores * MOMENTS * MOMENT_S / 3600
    return expected + 4 * float(np.sqrt(expected)) + 1


def test_alarms_on_like_motion_are_as_rare_as_the_budget_says(constants: dict[str, NDArray[np.float64]]) -> None:
    assert begun(constants, Kind.MOTION, []) <= most(3)
    assert begun(constants, Kind.SENSOR, []) <= most(2)


def test_a_score_of_single_moments_gives_no_more_alarms_after_gaps(constants: dict[str, NDArray[np.float64]]) -> None:
    assert begun(constants, Kind.SENSOR, range(0, MOMENTS, 5)) <= most(2)


def test_a_pooled_score_gives_no_more_alarms_after_gaps(constants: dict[str, NDArray[np.float64]]) -> None:
    """Half a second after each of 400 gaps."""
    assert begun(constants, Kind.MOTION, range(0, MOMENTS, 5)) <= most(3)
