"""Truth and prediction of one length, drawn by hypothesis, and the score of such a pair."""

import numpy as np
from hypothesis import strategies as st

from motionscribe_training.evaluation.metrics import Labels, Score, runs, score

PERIOD_US = 33_333


def labels_of(classes: int, lowest: int = 0) -> st.SearchStrategy[Labels]:
    """Label arrays made of runs, 1 to 60 frames long."""
    run = st.tuples(st.integers(lowest, classes - 1), st.integers(1, 12))
    return st.lists(run, min_size=1, max_size=5).map(
        lambda found: np.concatenate([np.full(length, label) for label, length in found])
    )


@st.composite
def label_pairs(draw: st.DrawFn) -> tuple[Labels, Labels]:
    """Truth and prediction of one length."""
    truth, predicted = draw(labels_of(4)), draw(labels_of(4, lowest=-1))
    return truth, np.resize(predicted, len(truth))


def score_of(truth: Labels, predicted: Labels, late_us: int = 0) -> Score:
    times = np.arange(len(truth)) * PERIOD_US
    starts = times[[start for start, _, _ in runs(truth)[1:]]]
    return score(truth, predicted, times, times + late_us, np.stack([starts] * 3, axis=1))
