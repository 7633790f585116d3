"""Blocks of frames as values without protobuf; codec.py turns them into messages.

FrameBlock is (K, D) frames with their times and numbers. WireError says what form was expected and what came.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class WireError(ValueError):
    """A message or a block does not have the form that the schema's comments promise."""


@dataclass(frozen=True, eq=False)
class FrameBlock:
    """K >= 1 consecutive frames."""

    first_seq: int
    """Number of the first frame, 1 or more; the others follow by one."""
    values: NDArray[np.float32]
    """(K, D) columns of the skeleton."""
    timestamps_us: NDArray[np.int64]
    """(K,) microseconds of the source's clock."""
    confidences: NDArray[np.float32] | None = None
    """(K, J), 0..1 per joint, where the source knows."""

    def __post_init__(self) -> None:
        if self.first_seq < 1:
            raise WireError(f"expected first_seq of 1 or more, got {self.first_seq}")
        if self.values.ndim != 2 or 0 in self.values.shape or self.values.dtype != np.float32:
            raise WireError(f"expected (K, D) float32 values, got {self.values.shape} {self.values.dtype}")
        K = len(self.values)
        if self.timestamps_us.shape != (K,) or self.timestamps_us.dtype != np.int64:
            got = f"{self.timestamps_us.shape} {self.timestamps_us.dtype}"
            raise WireError(f"expected {K} int64 times for {K} frames, got {got}")
        if self.confidences is not None and (
            self.confidences.ndim != 2 or len(self.confidences) != K or self.confidences.dtype != np.float32
        ):
            got = f"{self.confidences.shape} {self.confidences.dtype}"
            raise WireError(f"expected ({K}, J) float32 confidences, got {got}")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def next_seq(self) -> int:
        """Number of the frame after the last one."""
        return self.first_seq + len(self.values)

    def rows(self, start: int, stop: int) -> "FrameBlock":
        """Frames start..stop - 1 of this block, as views. Raises WireError where that leaves none."""
        confidences = None if self.confidences is None else self.confidences[start:stop]
        return FrameBlock(self.first_seq + start, self.values[start:stop], self.timestamps_us[start:stop], confidences)
