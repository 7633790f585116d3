"""Probability that a provisional label becomes final: a logistic regression fitted by replaying recordings.

In: where a moment lies in its hypothesised segment, how near the next other cluster is, how far the newest motion has
left the segment, and how many joints are out of sight. Out: 0..1. The weights are the model's; no label of a person is
needed to fit them, since the final labels of the same replay are the truth. What lost joints do to the odds is the same
for all models.
"""

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.labeller import Labelled

INPUTS = 7
"""What is known of a moment, in numbers."""

UNSEEN = -0.125
"""Weight of log(1 + joints out of sight): eight of them lower the odds by a quarter, two by an eighth. It is small on
purpose: on trials that a model had not seen, 78 % of the labels became final that were told while five joints or more
were lost, and 85 % of the others; other inputs know most of that (`python -m benchmarks.anybody.stability`)."""


def stability_inputs(shown: Labelled, moment: int, now: int, newest: Array) -> Array:
    """(INPUTS,) about `moment` in the segment `shown`, when the newest moment is `now`, its estimate `newest` (d,)."""
    start, end = shown.segment.start, shown.segment.end
    is_open = end > now
    long = np.log1p(end - start)
    # motion that changes leaves the mean of its segment before it is cut from it, the sooner the younger that is
    away = float(np.linalg.norm(newest - shown.segment.mean)) if is_open else 0.0
    return np.array(
        [
            1.0,
            long,
            np.log1p(now - moment if is_open else end - 1 - moment),
            float(is_open),
            min(shown.margin, 2.0),
            away,
            away * long,
        ]
    )


def stability(inputs: Array, weights: Array, unseen: int) -> float:
    """Chance that the label stays, at the precision of the wire; inputs and weights (INPUTS,), joints out of sight."""
    logit = inputs @ weights + UNSEEN * np.log1p(unseen)
    return float(np.float32(1.0 / (1.0 + np.exp(-np.clip(logit, -30.0, 30.0)))))
