"""Places of joints for pictures: where one was not seen it is drawn on the way from where it was to where it is next.

In: places (n, J, 3) with NaN. Out: the same without. Nothing is learnt or labelled by these.
"""

import numpy as np

from motionscribe_models.arrays import Array


def filled(places: Array) -> Array:
    """A copy; a joint that was never seen is drawn in the middle of those that were, and all at 0 where none was."""
    found = places.copy()
    rows, missing = np.arange(len(places)), np.asarray(np.isnan(places).any(axis=2))
    for joint in np.flatnonzero(missing.any(axis=0)):
        seen = ~missing[:, joint]
        if seen.any():
            for axis in range(3):
                found[:, joint, axis] = np.interp(rows, rows[seen], places[seen, joint, axis])
    never = missing.all(axis=0)
    found[:, never] = found[:, ~never].mean(axis=1, keepdims=True) if not never.all() else 0.0
    return found
