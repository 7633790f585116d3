"""Whether a training run learnt its recordings by heart: the warning that `motionscribe-train run` prints.

In: the points of a loss curve. Out: yes or no. The rule compares the last LATEST validations with the best one: over
them the mean validation error is more than RISEN above the best, and the mean training error is below that at the
best. Windows are held back from the recordings that are learnt from: where a network predicts them well, and other
recordings badly, no warning comes.
"""

from collections.abc import Sequence

import numpy as np

from motionscribe_training.network.curve import Point

LATEST = 5
"""Validations that must have come after the best one; one alone may be chance."""
RISEN = 0.02
"""Share by which their error must be larger. From one validation to the next it wavered by 1 to 2 % at the median, in
three runs on four trials of CMU subject 86 (128 units)."""
WARNING = (
    "warning: over-trained: after iteration {iteration}, whose weights are kept, the error on held-back windows rose "
    "while that on training windows fell; more motion or fewer --hidden units help"
)


def overtrained(points: Sequence[Point]) -> bool:
    """False where less than LATEST validations came after the best one, and where training itself got worse."""
    if not points:
        return False
    place = min(range(len(points)), key=lambda i: points[i].validation)
    if len(points) - 1 - place < LATEST:
        return False
    best, latest = points[place], points[-LATEST:]
    rose = float(np.mean([point.validation for point in latest])) > (1 + RISEN) * best.validation
    return rose and float(np.mean([point.training for point in latest])) < best.training
