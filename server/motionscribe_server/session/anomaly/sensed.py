"""What the sensors of a stream said in one moment, at the source's own rate, before anything is held or smoothed.

In: raw frames. Out: a Sensed for each moment: how fast each of B sensors changed its speed from frame to frame, how
much over the model's period, and for how long it has stood still.
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
FRAME_S = 0.1
"""A frame counts for no longer: of a sensor that reports once a second, two equal numbers in a row are no stillness."""


@dataclass(frozen=True, slots=True, eq=False)
class Sensed:
    """One moment of B sensors, in their units."""

    jump: Array
    """(B,) the largest acceleration from one source frame to the next, per second squared."""
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
        self._count = len(feature_map.sensor_joints)
        self.restart()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._values = np.empty((0, self._count, 0))  # of the newest frames
        self._times = np.empty(0)
        self._still_s = np.zeros(self._count)
        self._rows = np.empty((3, 0, self._count))  # jump, tremor and still_s of frames that are in no moment

    @property
    def waiting(self) -> int:
        """Frames that are in no moment."""
        return self._rows.shape[1]

    def push(self, frames: NDArray[np.floating], times_us: Sequence[int]) -> None:
        """Takes raw frames (K, D) of times that increase."""
        new, before = self._feature_map.sensors(frames), len(self._values)
        values = np.concatenate([self._values, new]) if before else new
        times = np.concatenate([self._times, np.array(times_us) / 1e6])
        tremor = np.square(self._accelerations(values, times, self._lag))
        rows = [self._accelerations(values, times, 1)[before:], tremor[before:], self._stillness(values, times, before)]
        self._rows = np.concatenate([self._rows, np.stack(rows)], axis=1)
        kept = -2 * self._lag
        self._values, self._times = values[kept:].copy(), times[kept:].copy()

    def take(self, count: int) -> Sensed:
        """The oldest `count` frames, at least 1, as a moment."""
        rows, self._rows = self._rows[:, :count], self._rows[:, count:]
        return Sensed(rows[0].max(axis=0), rows[1].mean(axis=0), rows[2].max(axis=0))

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "values": self._values.copy(),
            "times": self._times.copy(),
            "still_s": self._still_s.copy(),
            "rows": self._rows.copy(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._values, self._times = state["values"].copy(), state["times"].copy()
        self._still_s, self._rows = state["still_s"].copy(), state["rows"].copy()

    def _accelerations(self, values: Array, times: Array, lag: int) -> Array:
        """(n, B) of values (n, B, d) from `lag` to `lag` frames; 0 for too few before, or where one was not seen.

        Frames that come in bursts have times too near each other to be true.
        """
        found = np.zeros(values.shape[:2])
        if len(values) > 2 * lag:
            steps = np.maximum(times[lag:] - times[:-lag], lag * self._period_s / 2)
            speeds = (values[lag:] - values[:-lag]) / steps[:, None, None]
            change = np.linalg.norm(speeds[lag:] - speeds[:-lag], axis=2)
            found[2 * lag :] = np.nan_to_num(2 * change / (steps[lag:] + steps[:-lag])[:, None])
        return found

    def _stillness(self, values: Array, times: Array, before: int) -> Array:
        """(K, B) seconds, of the frames from `before` on; the first of all has none before it."""
        start = max(1, before)
        still = np.abs(values[start:] - values[start - 1 : -1]).max(axis=2) <= self._still  # false for NaN
        stills = np.zeros((len(values) - before, self._count))
        for row, (stands, passed) in enumerate(zip(still, np.diff(times[start - 1 :]), strict=True), start - before):
            self._still_s = np.where(stands, np.minimum(self._still_s + min(passed, FRAME_S), STEADY_S), 0.0)
            stills[row] = self._still_s
        return stills


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
