"""Recordings as feeds have them: places of joints, and times at which frames come over quiet and busy machines."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.sending import Actor
from motionscribe_models.body.skeleton import BODY
from motionscribe_models.recordings import Recording

Times = NDArray[np.int64]


def as_places(recording: Recording) -> Recording:
    """Metres, y up, joints of the canonical body."""
    skeleton = replace(BODY, representation="positions", rate_hz=recording.skeleton.rate_hz)
    places = Actor(recording).body
    return Recording(recording.name, places.reshape(len(places), -1), recording.timestamps_us, skeleton)


def quiet(times_us: Times, seed: int = 0) -> Times:
    """When frames come: half a millisecond later, some more."""
    delays = np.random.default_rng(seed).exponential(300, len(times_us))
    return in_line(times_us + 500 + delays)


def busy(times_us: Times, seed: int = 0) -> Times:
    """Milliseconds later, one in twenty much more, and nothing at all for 0.4 s twice in ten seconds."""
    rng = np.random.default_rng(seed)
    delays = rng.exponential(3_000, len(times_us))
    delays += np.where(rng.random(len(times_us)) < 0.05, rng.uniform(0, 80_000, len(times_us)), 0)
    arrived = times_us + 500 + delays
    for stall in np.arange(times_us[0] + rng.integers(5_000_000), times_us[-1], 5_000_000):
        held = (arrived >= stall) & (arrived < stall + 400_000)
        arrived[held] = stall + 400_000 + 40 * np.arange(held.sum())
    return in_line(arrived)


def in_line(arrived: NDArray[np.floating] | Times) -> Times:
    """As one socket hands them out, by a clock that started elsewhere."""
    return np.maximum.accumulate(np.asarray(arrived)).astype(np.int64) + 1_700_000_000_000_000
