"""What the sensors of a stream said in one moment, at the source's own rate, before anything is held or smoothed.

In: raw frames. Out: a Sensed for each moment: how fast each of B sensors changed its speed from frame to frame, how
much over the model's period, and for how long it has stood still. Measured once a moment, however its frames come in:
a few cost as much as one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_models.state import State

STEADY_S = 60.0
"""Stillness counts no further: longer than any that may be called normal."""
QUICK_S = 1 / 120
"""A jump takes no longer. The faster the frames, the more of an acceleration is noise of the sensor: its square grows
with the fourth power of their rate. The shipped models were fitted to feeds of 120 Hz at most."""
FRAME_S = 0.1
"""A frame counts for no longer: of a sensor that reports once a second, two equal numbers in a row are no stillness."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensed:
    """One moment of B sensors, in their units."""

    jump: Array
    """(B,) the largest acceleration from one source frame to the next, or over QUICK_S where that is longer, per second
    squared."""
    tremor: Array
    """(B,) the mean square of the acceleration over the model's period."""
    still_s: Array
    """(B,) seconds since the sensor changed last, at most FRAME_S a frame."""

    def followed_by(self, other: "Sensed") -> "Sensed":
        """Both as one moment."""
        tremor = (self.tremor + other.tremor) / 2
        return Sensed(np.maximum(self.jump, other.jump), tremor, np.maximum(self.still_s, other.still_s))

    def state(self) -> State:
        """See motionscribe_models/state.py; Sensed(**state) is equal."""
        return {"jump": self.jump, "tremor": self.tremor, "still_s": self.still_s}


class Sensors:
    """The newest frames of one stream's sensors."""

    def __init__(self, feature_map: FeatureMap, rate_hz: float, model_rate_hz: float) -> None:
        """`rate_hz` is the source's nominal one."""
        self._feature_map = feature_map
        self._still = feature_map.representation.still
        self._period_s = 1 / rate_hz
        self._lag = max(1, round(rate_hz / model_rate_hz))
        self._quick = max(1, round(rate_hz * QUICK_S))
        self._count = len(feature_map.sensor_joints)
        self.restart()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._frames: list[NDArray[np.floating]] = []  # that were not measured, and their times
        self._times_us: list[int] = []
        self._values = np.empty((0, 0, self._count))  # (d, n, B) of the newest that were measured, and their times
        self._times = np.empty(0)
        self._still_s = np.zeros(self._count)
        self._rows = np.empty((3, 0, self._count))  # jump, tremor and still_s of frames that are in no moment

    @property
    def waiting(self) -> int:
        """Frames that are in no moment."""
        return self._rows.shape[1] + len(self._times_us)

    def push(self, frames: NDArray[np.floating], times_us: Sequence[int]) -> None:
        """Takes raw frames (K, D) of times that increase."""
        self._frames.append(frames.copy())  # a view would keep the whole message
        self._times_us += times_us

    def take(self, count: int) -> Sensed:
        """The oldest `count` frames, at least 1, as a moment."""
        self._measure()
        rows, self._rows = self._rows[:, :count], self._rows[:, count:]
        jump, still_s = np.maximum.reduce(rows[::2], axis=1)
        return Sensed(jump, np.add.reduce(rows[1]) / rows.shape[1], still_s)

    def _measure(self) -> None:
        if not self._frames:
            return
        frames = np.concatenate(self._frames)
        values = self._feature_map.sensors(frames).transpose(2, 0, 1)  # what is summed over first: NumPy is faster so
        if self._values.shape[1]:
            values = np.concatenate([self._values, values], axis=1)
        times = np.concatenate([self._times, np.array(self._times_us) / 1e6])
        moved, steps = values[:, 1:] - values[:, :-1], times[1:] - times[:-1]
        rows = np.zeros((3, len(frames), self._count))
        squares, lag, quick = rows[1], self._lag, self._quick
        self._accelerate(squares, values, times, quick)
        np.sqrt(squares, out=rows[0])
        if lag > quick:
            squares[:] = 0  # also of those with too few before
            self._accelerate(squares, values, times, lag)
        self._stand(rows[2], moved, steps)
        self._rows = np.concatenate([self._rows, rows], axis=1) if self._rows.shape[1] else rows
        kept = 2 * max(lag, quick)
        self._values, self._times = values[:, -kept:].copy(), times[-kept:].copy()
        self._frames, self._times_us = [], []

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        self._measure()
        return {
            "values": self._values.transpose(1, 2, 0).copy(),
            "times": self._times.copy(),
            "still_s": self._still_s.copy(),
            "rows": self._rows.copy(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._frames, self._times_us = [], []
        self._values = state["values"].transpose(2, 0, 1).copy()
        self._times = state["times"].copy()
        self._still_s, self._rows = state["still_s"].copy(), state["rows"].copy()

    def _accelerate(self, rows: Array, values: Array, times: Array, lag: int) -> None:
        """Fills rows (K, B) of the newest frames with squares of the acceleration from `lag` to `lag` frames.

        `values` (d, n, B) at `times` (n,) seconds. 0 stays for too few before, or where one was not seen. Frames that
        come in bursts have times too near each other to be true.
        """
        moved, took = values[:, lag:] - values[:, :-lag], times[lag:] - times[:-lag]
        count = min(len(rows), len(took) - lag)
        if count > 0:
            steps = np.maximum(took[-count - lag :], lag * self._period_s / 2)
            speeds = moved[:, -count - lag :] / steps[:, None]
            change = speeds[:, lag:] - speeds[:, :-lag]
            mean_steps = (steps[lag:] + steps[:-lag]) / 2
            squares = np.add.reduce(np.square(change)) / np.square(mean_steps)[:, None]
            np.fmax(squares, 0, out=rows[-count:])  # 0 for NaN

    def _stand(self, rows: Array, moved: Array, steps: Array) -> None:
        """Fills rows (K, B) of the newest frames with seconds; 0 stays for the first of all."""
        count = min(len(rows), len(steps))
        if count:
            stands = np.maximum.reduce(np.abs(moved[:, -count:])) <= self._still  # false for NaN
            adds = np.minimum(steps[-count:], FRAME_S).tolist()
            for row, more, factor in zip(rows[-count:], adds, stands.astype(np.float64), strict=True):
                self._still_s = np.multiply(self._still_s + more, factor, out=row)
            self._still_s = np.minimum(rows, STEADY_S, out=rows)[-1]


def sense(
    feature_map: FeatureMap,
    frames: NDArray[np.floating],
    times_us: Sequence[int],
    rates_hz: tuple[float, float],
    ends: Sequence[int],
) -> list[Sensed]:
    """The moments of a recording without gaps; each ends before row `ends` of its raw frames. Ends increase.

    `rates_hz` are the source's and the model's.
    """
    sensors = Sensors(feature_map, *rates_hz)
    if ends:
        sensors.push(frames[: ends[-1]], times_us[: ends[-1]])
    return [sensors.take(end - start) for start, end in zip([0, *ends], ends, strict=False)]
