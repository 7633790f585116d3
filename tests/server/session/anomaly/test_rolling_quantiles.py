"""Quantiles of the newest values: what numpy says, and the same again from its arguments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_server.session.anomaly.rolling_quantiles import RollingQuantiles

SHARES = (0.5, 0.99)
VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60)


@given(VALUES, st.integers(1, 20))
def test_they_are_those_of_the_newest_values(values: list[float], size: int) -> None:
    rolling = RollingQuantiles(SHARES, size)
    for value in values:
        rolling.learn(value)
    assert rolling.get() == pytest.approx(np.quantile(values[-size:], SHARES), abs=1e-9)


@given(VALUES, VALUES, st.integers(1, 20))
def test_one_restored_goes_on_to_the_bit(before: list[float], after: list[float], size: int) -> None:
    rolling = RollingQuantiles(SHARES, size, before)
    again = RollingQuantiles(SHARES, size, [7.0])
    again.restore(rolling.state())
    for value in after:
        rolling.learn(value)
        again.learn(value)
        assert again.get() == rolling.get()
