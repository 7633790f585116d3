"""What the one who opens a stream may choose."""

from dataclasses import dataclass

from motionscribe_models.lags import Lag


@dataclass(frozen=True)
class SessionOptions:
    """Choices of one stream."""

    lag: Lag = "balanced"
    """How long to wait before a label is final; the model says how many moments that is."""
    provisional: bool = True
    """Also send labels that may still change."""
    rate_hz: float = 0.0
    """Nominal rate of the sender, Hz; 0 is the skeleton's."""
    sensor_false_alarms: float = 0.5
    """False alarms an hour that may be expected of sensor faults, above 0."""
    motion_false_alarms: float = 0.5
    """The same of motion faults."""
    behaviour_false_alarms: float = 0.5
    """The same of new behaviour."""
    anomaly_scores: bool = False
    """Also send how normal each moment is."""
    exemplars: bool = True
    """Keep clips of what clusters look like."""
