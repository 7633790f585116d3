"""Mean and scale of features, by which the network normalises them.

In: feature sequences (m, F). Out: mean (F,) and scale (F,), float64. Which of the two scales a model uses is the
representation's choice. Nothing is normalised here: the network's own graph does that.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array

ROOT_SHARE = 0.6
SMALLEST = 0.05
"""The scale of a root feature is ROOT_SHARE of its spread; a spread below SMALLEST counts as SMALLEST."""


def mean_and_scale(sequences: Sequence[NDArray[np.floating]]) -> tuple[Array, Array]:
    """Mean (F,) and standard deviation (F,) of each feature of sequences (m, F); 1 where only rounding varies."""
    everything = np.concatenate(sequences).astype(np.float64)
    mean, deviation = everything.mean(axis=0), everything.std(axis=0)
    return mean, np.where(deviation > 1e-6 * np.abs(mean), deviation, 1.0)


def mean_and_shared_scale(sequences: Sequence[NDArray[np.floating]], root: int) -> tuple[Array, Array]:
    """Mean (F,) and scale (F,) of sequences (m, F) whose last `root` features describe the root.

    All joint features share one scale, so that a hip outweighs a finger as it does in motion: with a scale each, labels
    of CMU subject 86 were 6 points less accurate. Each root feature has its own, smaller scale: there are ten of them
    against a hundred and more joint features.
    """
    everything = np.concatenate(sequences).astype(np.float64)
    mean, scale = everything.mean(axis=0), everything.std(axis=0)
    joints = len(scale) - root
    scale[:joints] = np.sqrt(np.square(scale[:joints]).mean())
    scale[joints:] = ROOT_SHARE * np.maximum(scale[joints:], SMALLEST)
    return mean, scale
