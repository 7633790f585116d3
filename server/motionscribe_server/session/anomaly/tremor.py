"""Score of joints that tremble: energy of acceleration, over a second, that the rest of the body does not explain."""

from motionscribe_models.arrays import Array
from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Score


class Tremor(Score):
    """The mean square of acceleration over the model's period. Averaged as logarithms, a single jerk is no tremor."""

    name = "tremor"
    kind = Kind.MOTION
    pooled_s = 1.0

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Squares of units a second squared, (B,)."""
        return observation.sensed.tremor

    @staticmethod
    def suits(representation: Representation) -> bool:
        """Bodies. How much the columns of a table tremble drifts, and is a matter of shift.py."""
        return not representation.has_levels
