"""Probability that a provisional label becomes final: a logistic regression fitted by replaying recordings.

In: where a moment lies in its hypothesised segment, how near the next other cluster is, and how many joints are out of
sight. Out: 0..1. The weights are the model's; no label of a person is needed to fit them, since the final labels of the
same replay are the truth. What lost joints do to the odds is the same for all models.
"""

import numpy as np

from motionscribe_models.arrays import Array

UNSEEN = -0.125
"""Weight of log(1 + joints out of sight): eight of them lower the odds by a quarter, two by an eighth. It is small on
purpose. On trials that a model had not seen, labels told meanwhile became final as often as others, 85 %, with five
joints lost or more 82 %. It varies from trial to trial (`python -m benchmarks.anybody.stability`)."""


def stability_inputs(start: int, end: int, moment: int, now: int, margin: float) -> Array:
    """(5,) inputs about `moment` in the segment [start, end), when the newest moment is `now`.

    `margin` is the distance from the segment's mean to the nearest other cluster, in embedding units.
    """
    still_open = end > now
    return np.array(
        [
            1.0,
            np.log1p(end - start),
            np.log1p(end - 1 - moment if not still_open else now - moment),
            float(still_open),
            min(margin, 2.0),
        ]
    )


def stability(inputs: Array, weights: Array, unseen: int) -> float:
    """Chance that the label stays, at the precision of the wire; inputs (5,), weights (5,), joints out of sight."""
    logit = inputs @ weights + UNSEEN * np.log1p(unseen)
    return float(np.float32(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))))
