"""Score of motion that the network did not predict."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.robust_score import RobustScore
from motionscribe_server.session.anomaly.score import Shape


class ForecastError(RobustScore):
    """Squared error of the forecast."""

    name: ClassVar[str] = "forecast_error"
    arrays: ClassVar[Mapping[str, Shape]] = {"anomaly.forecast_error": (2,)}

    @staticmethod
    def measure(observation: Observation) -> float:
        """The mean over features."""
        return float(np.mean(observation.forecast_error))
