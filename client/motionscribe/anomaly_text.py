"""Anomalies in words: `sensor fault in left_wrist, left_elbow (once in 40 h)`, with the phase until they have ended.

The words of a server stay as they are: whoever prints them makes them harmless (tables.py).
"""

from motionscribe.events import Anomaly

MOST_JOINTS = 3
RAREST = 1e-4


def describe(anomaly: Anomaly) -> str:
    """Kind, the least normal joints or what saw it, the phase of what goes on, and the severity."""
    joints = ", ".join(anomaly.joints[:MOST_JOINTS])
    where = f" in {joints}" if joints else f" by {anomaly.detector}"
    phase = f"{anomaly.phase}, " if anomaly.ongoing else ""
    return f"{anomaly.kind}{where} ({phase}{_how_often(anomaly.false_alarms_per_hour)})"


def _how_often(per_hour: float) -> str:
    """What is rarer than once an hour is told in hours; beyond RAREST the number is no more than an order."""
    if per_hour < RAREST:
        return f"rarer than once in {round(1 / RAREST):,g} h"
    if per_hour < 1:
        return f"once in {round(1 / per_hour, 1):,g} h"
    return f"{round(per_hour, 1):,g} times an hour"
