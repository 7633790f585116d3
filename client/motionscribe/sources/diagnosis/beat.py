"""Steps between the times of a feed, and which of them are regular."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array

Times = NDArray[np.int64]
"""(n,) microseconds."""

LONGEST_STEP_S = 0.25
"""A longer step is a pause and no loss: streams call it a gap."""
FARTHEST_S = 0.5
"""A longer step, ahead or back, says nothing of the others: the slowest feed has one a tenth of a second."""


@dataclass(frozen=True, eq=False)
class Beat:
    """Steps between times."""

    times_us: Times

    @cached_property
    def steps_us(self) -> Array:
        """(n - 1,) between one frame and the next, without pauses and jumps."""
        steps = np.diff(self.times_us).astype(np.float64)
        return steps[np.abs(steps) <= 1e6 * FARTHEST_S]

    @cached_property
    def period_us(self) -> float:
        """The median of the steps ahead; 0 without any."""
        ahead = self.steps_us[self.steps_us > 0]
        return float(np.median(ahead)) if len(ahead) else 0.0

    @cached_property
    def mean_us(self) -> float:
        """The mean of all steps, in whatever order frames came."""
        return float(self.steps_us.mean()) if len(self.steps_us) else 0.0

    @cached_property
    def off_us(self) -> Array:
        """(n - 1,) how far each step is from the nearest multiple of the period, which is where frames were lost."""
        multiples = np.maximum(1, np.rint(self.steps_us / max(self.period_us, 1.0)))
        return np.abs(self.steps_us - multiples * self.period_us)
