"""Everything that anomaly scores may look at in one moment (a stride, 0.1 s), live and when their constants are fitted.

A value without behaviour: a score that needs more of a moment adds a field here, and the session and fit.py fill it.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import LayoutError
from motionscribe_server.session.span import Span


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """One moment. A score must not keep or change its arrays. Raises LayoutError for values that cannot be."""

    span: Span
    """Frame numbers and source time."""
    frames: NDArray[np.float32]
    """(n, F) raw features of the moment's frames, at the model's rate."""
    residual: float
    """Mean length of what the PCA leaves out of the decoder states of the window that ends here, at least 0."""
    forecast_error: NDArray[np.float64]
    """(F,) mean squared error of what the window before predicted, in squares of each feature's usual spread."""

    def __post_init__(self) -> None:
        if not 0 <= self.residual < math.inf:
            raise LayoutError(f"expected a finite residual >= 0, got {self.residual}")
        error = self.forecast_error
        if error.ndim != 1 or self.frames.ndim != 2 or self.frames.shape[1] != len(error):
            raise LayoutError(f"expected frames (n, F) and errors (F,), got {self.frames.shape} and {error.shape}")
        bad = ~((error >= 0) & (error < math.inf))
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            raise LayoutError(f"expected finite errors >= 0, got {error[at]} at position {at}")
