"""A recording is sent as fast as it was made, or so many times faster."""

import pytest

from motionscribe.pacing import Pacer


def test_pacing_follows_source_time() -> None:
    now = 100.0
    pacer = Pacer(2.0, lambda: now)
    assert pacer.wait_s(5_000_000, 6_000_000) == pytest.approx(0.5)
    now = 100.25
    assert pacer.wait_s(6_000_000, 7_000_000) == pytest.approx(0.75)
    now = 200.0
    assert pacer.wait_s(7_000_000, 8_000_000) == 0.0
    with pytest.raises(ValueError, match="speed above 0, got 0"):
        Pacer(0.0)
