"""What an anomaly may be: a fault of the sensors, of the motion, or behaviour that nobody has shown before."""

from enum import StrEnum


class Kind(StrEnum):
    """The three kinds of anomalies. Each has a budget of false alarms."""

    SENSOR = "sensor fault"
    """A sensor stands still, or jumps as no joint can: what it says is not what the body does."""
    MOTION = "motion fault"
    """The joints do not fit each other as those of a body do, or tremble."""
    BEHAVIOUR = "new behaviour"
    """A body may do this, but neither the training recordings nor this stream have shown it."""
