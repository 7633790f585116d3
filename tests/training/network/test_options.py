"""Options of a run: those without a meaning are refused, and the learning rate follows from them."""

import numpy as np
import pytest
from tests.support.small_training import SMALL

from motionscribe_training.errors import TrainingError
from motionscribe_training.network.options import TrainOptions, learning_rate_at


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"iterations": 0}, "iterations of at least 1, got 0"),
        ({"patience": 0}, "patience of at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate above 0"),
        ({"adversarial": -1.0}, "not below 0, got"),
        ({"stop": "never"}, "stop to be one of error, separation, got 'never'"),
    ],
)
def test_options_that_make_no_sense_are_refused(change: dict[str, float | str], complaint: str) -> None:
    with pytest.raises(TrainingError, match=complaint):
        TrainOptions(**change)  # type: ignore[arg-type]  # wrong on purpose


def test_the_rate_warms_up_and_anneals() -> None:
    rates = [learning_rate_at(i, SMALL) for i in range(SMALL.iterations)]
    peak = int(np.argmax(rates))
    assert max(rates) == pytest.approx(SMALL.learning_rate)
    assert 0 < peak <= 2
    assert all(np.diff(rates[: peak + 1]) > 0)
    assert all(np.diff(rates[peak + 1 :]) < 0)
    assert rates[-1] < 0.05 * SMALL.learning_rate
