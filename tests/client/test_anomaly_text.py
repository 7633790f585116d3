"""Anomalies in words."""

import pytest

from motionscribe.anomaly_text import describe
from motionscribe.events import Anomaly


@pytest.mark.parametrize(
    ("per_hour", "severity"),
    [
        (0.025, "once in 40 h"),
        (0.7, "once in 1.4 h"),
        (1e-4, "once in 10,000 h"),
        (9e-5, "rarer than once in 10,000 h"),
        (0.0, "rarer than once in 10,000 h"),
        (1.0, "1 times an hour"),
        (6.04, "6 times an hour"),
        (float("nan"), "nan times an hour"),
        (float("inf"), "inf times an hour"),
    ],
)
def test_the_severity_is_how_often_that_is_to_be_expected(per_hour: float, severity: str) -> None:
    anomaly = Anomaly(1, False, 1, 9, 0, 8, "new behaviour", "habits", "ended", per_hour, (), (), 0)
    assert describe(anomaly) == f"new behaviour by habits ({severity})"


def test_the_least_normal_joints_and_the_phase_of_what_goes_on() -> None:
    joints = ("left_wrist", "left_elbow", "left_shoulder", "head")
    anomaly = Anomaly(1, True, 1, 9, 0, 8, "sensor fault", "jump", "confirmed", 0.5, joints, (9.0, 8.0, 7.0, 6.0), 0)
    assert describe(anomaly) == "sensor fault in left_wrist, left_elbow, left_shoulder (confirmed, once in 2 h)"
