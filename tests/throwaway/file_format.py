"""A throw-away file format: one number a line, `.steps`. One line in READERS adds it."""

from pathlib import Path

import numpy as np

from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.recordings.reading import Reader
from motionscribe_models.skeleton import feature_skeleton


def read_steps(path: Path, rate_hz: float | None) -> Recording:
    """One feature at 10 Hz."""
    frames = np.loadtxt(path, dtype=np.float32, ndmin=2)
    rate_hz = rate_hz or 10.0
    return Recording(path.stem, frames, even_times(len(frames), rate_hz), feature_skeleton("steps", ("step",), rate_hz))


LINE = Reader((".steps",), "one number a line", "10 Hz", read_steps)
