"""Fixtures of tests of anomalies."""

import pytest

from motionscribe_server.session.anomaly.forecast_error import ForecastError
from motionscribe_server.session.anomaly.residual import Residual
from motionscribe_server.session.anomaly.table import SCORES


@pytest.fixture(autouse=True)
def _two_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Detector and reference are tested with these two, whatever else the table has."""
    for name in SCORES.keys() - {Residual.name, ForecastError.name}:
        monkeypatch.delitem(SCORES, name)
