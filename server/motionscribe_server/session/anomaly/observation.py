"""Everything that anomaly scores may look at in one moment, live and when their constants are fitted.

A value without behaviour: a score that needs more of a moment adds a field here, and the session and the fit fill it.
"""

from dataclasses import dataclass

from motionscribe_models.arrays import Array, Single
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.span import Span


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """One moment. A score must not keep or change its arrays."""

    span: Span
    """Frame numbers and source time."""
    sensed: Sensed
    misfit: Array
    """(G,) how badly each group of joints fits the others, 1 on average (pose_model.py)."""
    strangeness: float
    """Distance of the embedding to the nearest behaviour that is known."""
    unseen: float
    """Distance to the nearest moment that was shown (shown.py)."""
    features: Single
    """(F,) of its newest frame."""
    shift: Array
    """(L,) how far what has a level lies from its usual one (levels.py); empty but for tables."""
    order_rate: float
    """False alarms an hour, above 0, to be expected at the order of the stream's actions (habitual_order.py)."""
    duration_rate: float
    """The same of how long they last."""
