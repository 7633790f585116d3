"""What the clusters look like that a model comes with, and what they plainly are.

In: the recordings that first_clusters.py was given, and the centres that it found. Out: arrays of the model folder, a
clip of each centre and the index of a name. No labels are used.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body.actions import ACTIONS, WINDOW_S, action_of
from motionscribe_models.features import FeatureMap
from motionscribe_server.session.default_names import SHARE
from motionscribe_server.session.exemplars import LENGTH_S, VALUES, clip_of
from motionscribe_server.session.segmenter import Hypothesis
from motionscribe_training.fitting.first_clusters import RADIUS


def first_exemplars(
    recordings: Sequence[tuple[NDArray[np.float32], Sequence[Hypothesis]]],
    centres: Array,
    stride: int,
    feature_map: FeatureMap,
    rate_hz: float,
) -> dict[str, NDArray[np.floating] | NDArray[np.integer]]:
    """`exemplars` (n, K, D) and `centre_names` (n,) from features (m, F) at `rate_hz`, each with its segments.

    Empty where features do not say where joints are, or where a centre has no segment long enough.
    """
    segments = [
        (s.mean, features[s.start * stride : s.end * stride]) for features, partition in recordings for s in partition
    ]
    long = [(mean, features) for mean, features in segments if len(features) >= LENGTH_S * rate_hz]
    if not long:
        return {}
    means = np.array([mean for mean, _ in long])
    nearest = [int(np.linalg.norm(means - centre, axis=1).argmin()) for centre in centres]
    clips = [clip_of(feature_map, long[i][1], rate_hz) for i in nearest]
    whole = [clip.astype(VALUES) for clip in clips if clip is not None and np.isfinite(clip).all()]
    if not whole or len(whole) < len(centres):
        return {}
    exemplars: dict[str, NDArray[np.floating] | NDArray[np.integer]] = {"exemplars": np.stack(whole)}
    if feature_map.skeleton.representation != "body":  # what bodies do is known of no other
        return exemplars
    names = [_name([f for mean, f in segments if _shows(mean, k, centres)], rate_hz) for k in range(len(centres))]
    return {**exemplars, "centre_names": np.array(names)}


def _shows(mean: Array, centre: int, centres: Array) -> bool:
    """Whether a segment is of the centre of this row: it is the nearest, and within its radius."""
    away = np.linalg.norm(centres - mean, axis=1)
    return int(away.argmin()) == centre and float(away[centre]) <= RADIUS


def _name(segments: Sequence[NDArray[np.float32]], rate_hz: float) -> int:
    """Index of the action that nearly all of the segments' seconds plainly are, -1 for none."""
    window = round(WINDOW_S * rate_hz)
    found = [
        action_of(features[start : start + window])
        for features in segments
        for start in range(0, len(features) - window + 1, window)
    ]
    for index, action in enumerate(ACTIONS):
        if found and found.count(action) >= SHARE * len(found):
            return index
    return -1
