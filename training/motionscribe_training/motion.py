"""What a frame shows without any network: the main components of pose and of its change, pooled over time.

In: features (m, F) of whole recordings. Out: the linear map (2, F, q) from a frame and the one before it to its motion,
and motion pooled around each moment, which a session cannot know yet: what the students of slow_features.py learn to
foresee.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from motionscribe_server.evidence import Evidence

Array = NDArray[np.float64]

COMPONENTS = 20
"""Of pose, and as many of its change. 32 cost 3 to 4 points of accuracy on trials of CMU subject 86 left out."""


def fit_motion(recordings: Sequence[NDArray[np.floating]], scale: Array) -> Array:
    """(2, F, q): the motion of `recordings` varies by 1 in all, half of it pose. `scale` (F,) divides features."""
    poses = [x / scale for x in recordings]
    pose = _components(np.vstack(poses)) / scale[:, None]
    change = _components(np.vstack([np.diff(x, axis=0) for x in poses])) / scale[:, None]
    return np.stack([np.hstack([pose, change]), np.hstack([np.zeros_like(pose), -change])])


def _components(rows: Array) -> Array:
    """(n, F) to directions (F, c), c at most COMPONENTS, along which `rows` vary by a half in all."""
    pca = PCA(min(COMPONENTS, *rows.shape), svd_solver="covariance_eigh").fit(rows)
    directions: Array = pca.components_.T / np.sqrt(2 * pca.explained_variance_.sum())
    return directions


def evidence_of(
    features: NDArray[np.floating], projected: NDArray[np.floating], motion: Array, spans: Sequence[int], stride: int
) -> Array:
    """Features (m, F) and projected states (n, M, P) of a recording's windows to evidence (n, Q), as in a session."""
    evidence, rows = Evidence(motion, spans, stride), []
    for moment, states in enumerate(projected):
        for frame in features[moment * stride : (moment + 1) * stride]:
            evidence.observe(frame)
        rows.append(evidence.push(states))
    return np.array(rows)


def centred(features: NDArray[np.floating], motion: Array, span: int, stride: int) -> Array:
    """(m, F) to (n, 2 q): motion pooled over `span` frames with each moment in their middle, cut off at the ends."""
    frames = features.astype(np.float64)
    vectors = frames @ motion[0] + np.vstack([frames[:1], frames[:-1]]) @ motion[1]
    middles = range(stride // 2, len(vectors) // stride * stride, stride)
    return np.array([_pool(vectors[max(0, i - span // 2) : i + span // 2 + 1]) for i in middles])


def _pool(vectors: Array) -> Array:
    return np.concatenate([vectors.mean(axis=0), vectors.std(axis=0)])
