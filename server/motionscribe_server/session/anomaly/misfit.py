"""Scores of joints that do not fit the others as those of a body do: half a second of it, and a second and a half."""

from motionscribe_models.arrays import Array
from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Columns, Score


class Misfit(Score):
    """How far each group of joints lies from where the pose model expects it."""

    name = "misfit"
    kind = Kind.MOTION
    pooled_s = 0.5

    @staticmethod
    def measure(observation: Observation) -> Array:
        """Mean squares, (G,)."""
        return observation.misfit

    @staticmethod
    def suits(representation: Representation) -> bool:
        """Bodies. How badly the columns of a table fit each other drifts, and is a matter of shift.py."""
        return not representation.has_levels

    @staticmethod
    def columns(sensors: Columns, groups: Columns) -> Columns:
        """The groups'."""
        del sensors
        return groups


class LastingMisfit(Misfit):
    """The same over a longer time, which finds smaller ones."""

    name = "lasting misfit"
    pooled_s = 1.5
