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
