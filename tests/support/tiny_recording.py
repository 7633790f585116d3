"""A short recording of the layout of CMU, of noise."""

import numpy as np

from motionscribe_models.recordings import CMU_EXPMAP, Recording, even_times


def tiny(frames: int = 5) -> Recording:
    values = np.random.default_rng(0).normal(size=(frames, 96)).astype(np.float32)
    return Recording("tiny", values, even_times(frames, 120.0), CMU_EXPMAP)
