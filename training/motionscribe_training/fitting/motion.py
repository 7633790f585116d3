"""The motion of a frame without any network: the main components of pose and of its change, pooled over time.

In: features (m, F) of whole recordings. Out: the linear map (2, F, q) from a frame and the one before it to its motion,
and the evidence of all moments of a recording.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from motionscribe_models.arrays import Array
from motionscribe_server.session.evidence import Evidence

COMPONENTS = 20
"""Components of pose, and as many of its change. 32 cost 3 to 4 points of accuracy on held-out trials of subject 86."""


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
        frames = features[moment * stride : (moment + 1) * stride]
        rows.append(Evidence.observe_many([evidence], frames[None], states[None])[0])
    return np.array(rows)
