"""Many streams through one product at once, though no answer depends on who else is there.

BLAS rounds by the shape of a product, and is several times faster for some rows than for one. So all products have one
shape: BLOCK rows, the last of them zeros where fewer are left; then a row has the same bits wherever it stands. (Not so
on all processors where a product has a single column, for which BLAS goes another way.)
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array

BLOCK = 8


def in_blocks(answer: Callable[[NDArray[np.floating]], Array], rows: NDArray[np.floating], width: int) -> Array:
    """(n, width) answers to rows (n, D); `answer` is of (BLOCK, D) at a time, and gives (BLOCK, width)."""
    padded = np.zeros((-(-len(rows) // BLOCK) * BLOCK, rows.shape[1]), rows.dtype)
    padded[: len(rows)] = rows
    found = np.empty((len(padded), width))
    for start in range(0, len(padded), BLOCK):
        found[start : start + BLOCK] = answer(padded[start : start + BLOCK])
    return found[: len(rows)]
