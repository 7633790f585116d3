"""Score of sensors that jump: a joint that changes its speed faster than its muscles and the rest of the body do."""

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Score


class Jump(Score):
    """The largest acceleration of each sensor from frame to frame (sensed.py)."""

    name = "jump"
    kind = Kind.SENSOR
    pooled_s = 0.0

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Units a second squared, (B,)."""
        return observation.sensed.jump
