"""The table of anomaly scores: a line a score.

Everything derives from it: what fit.py fits, which arrays a model folder has, what a session scores.
"""

from motionscribe_server.session.anomaly.forecast_error import ForecastError
from motionscribe_server.session.anomaly.residual import Residual
from motionscribe_server.session.anomaly.score import Score

SCORES: dict[str, type[Score]] = {
    Residual.name: Residual,
    ForecastError.name: ForecastError,
}
"""By name. Distance to clusters is left out: abnormal motion hardly shows in it (AUC .56 on CMU subject 86)."""
