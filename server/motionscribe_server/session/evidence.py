"""What is known of a moment: how the body moved lately, and what the network expected next.

In: the features of a moment's frames, and the projected decoder states of its window. Out: the evidence of the moment,
Q numbers: the motion of the frames, then the mean states of the windows, each pooled over the same trailing spans
(pooling.py).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.pooling import Pooling
from motionscribe_models.state import State


class Evidence:
    """The trailing motion and states of one stream."""

    def __init__(self, motion: Array, spans: Sequence[int], stride: int) -> None:
        """`motion` (2, F, q) maps a frame and the one before it; `spans` are frames, a moment has `stride` of them."""
        self._motion = motion
        self._frames = Pooling(spans)
        self._windows = Pooling([max(1, round(span / stride)) for span in spans])
        self.restart()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._frames.restart()
        self._windows.restart()
        self._last: NDArray[np.floating] | None = None  # (1, F) the newest frame

    @classmethod
    def observe_many(
        cls, evidences: Sequence["Evidence"], frames: NDArray[np.floating], projected: NDArray[np.floating]
    ) -> Array:
        """Frames (s, n, F) of a moment and projected states (s, M, P) to the evidence (s, Q), Q = 2 (q + P) k."""
        first: Evidence = evidences[0]
        before = [cls._pass_on(evidence, own) for evidence, own in zip(evidences, frames, strict=True)]
        rows = np.concatenate([np.stack(before), frames], axis=1).astype(np.float64)  # (s, 1 + n, F)
        moved = rows[:, 1:] @ first._motion[0] + rows[:, :-1] @ first._motion[1]
        states = projected.astype(np.float64).mean(axis=1, keepdims=True)
        of_frames, of_windows = zip(*map(cls._poolings, evidences), strict=True)
        return np.concatenate([Pooling.push_many(of_frames, moved), Pooling.push_many(of_windows, states)], axis=1)

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"frames": self._frames.state(), "windows": self._windows.state(), "last": self._last}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._frames.restore(state["frames"])
        self._windows.restore(state["windows"])
        self._last = state["last"]

    def _pass_on(self, frames: NDArray[np.floating]) -> NDArray[np.floating]:
        """The frame (1, F) before these (n, F), the first of them at a restart; keeps the last of them."""
        before = frames[:1] if self._last is None else self._last
        self._last = frames[-1:].copy()
        return before

    def _poolings(self) -> tuple[Pooling, Pooling]:
        return self._frames, self._windows
