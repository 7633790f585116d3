"""Frames of the moments that are not final yet, for what looks at motion once its label is known."""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.state import State


class WaitingFrames:
    """Frames (n, F) of each moment, in order. Where nobody `wants` them, none are kept."""

    def __init__(self, features: int, wanted: bool) -> None:
        self._nothing = np.empty((0, features), np.float32)
        self._wanted = wanted
        self._frames: deque[NDArray[np.float32]] = deque()

    def add(self, frames: NDArray[np.float32]) -> None:
        """Those of one more moment."""
        if self._wanted:
            self._frames.append(frames.copy())  # of a batch, which need not stay

    def take(self) -> NDArray[np.float32]:
        """Those of the oldest moment, which is final now."""
        return self._frames.popleft() if self._frames else self._nothing

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "frames": np.concatenate([self._nothing, *self._frames]),
            "lengths": [len(frames) for frames in self._frames],
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        ends = np.cumsum(state["lengths"], dtype=int)
        self._frames = deque(np.split(state["frames"], ends[:-1]) if len(ends) else [])
