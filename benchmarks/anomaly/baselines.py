"""What else could judge moments: usual detectors, each fitted to the same motion and given the same budget.

In: normal motion that a fold's model was trained on, as a session saw it (seen.py). Out: false alarms an hour that each
moment of other motion is worth. Each is fitted to half of the recordings and scores the other half, in turn; what it
says of motion that it was not fitted to sets its rates, as those of our scores are set (session/anomaly/rates.py), and
it is then fitted to all. Scores are averaged over half a second, as our misfit is. The network behind `distance` and
`prediction_error` has seen all of this motion; that is so with ours, too.

Half-space trees see the motion once, in random order, and learn nothing of what they judge.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from river.anomaly import HalfSpaceTrees
from scipy.ndimage import uniform_filter1d
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.svm import OneClassSVM

from benchmarks.anomaly.seen import Seen
from benchmarks.anomaly.vus import Mask
from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.nearest import Nearest
from motionscribe_server.session.anomaly.rates import fit_rates, log_rate
from motionscribe_server.session.anomaly.score import QUANTILE, SIGMAS, TINY
from motionscribe_training.fitting.anomaly import PLACES

Scorer = Callable[[Seen], Array]
"""Moments to numbers (n,), the larger the more abnormal."""
Fit = Callable[[Sequence[Seen]], Scorer]

POOLED_S = 0.5
LEAST_SCALE = 1e-3
"""Of an input: what hardly changes says little."""
SVM_ROWS, SVM_OUTSIDE = 2000, 0.01


@dataclass(frozen=True)
class Calm:
    """Normal motion, and which of its moments count: not those near a fault that a recording has by itself."""

    seen: Seen
    fine: Mask


def calibrate(fit: Fit, motion: Sequence[Calm], moment_s: float) -> Scorer:
    """A baseline that says false alarms an hour (n,). `motion` are at least two recordings."""
    halves = motion[0::2], motion[1::2]
    scores: list[Array] = []
    for own, others in (halves, halves[::-1]):
        scorer = fit([calm.seen for calm in others])
        scores += [_pooled(scorer(calm.seen), moment_s)[calm.fine] for calm in own if calm.fine.any()]
    everything = np.concatenate(scores)
    middle = float(np.median(everything))
    spread = max((float(np.quantile(everything, QUANTILE)) - middle) / SIGMAS, TINY)
    knots = fit_rates([(own - middle) / spread for own in scores], moment_s)
    whole = fit([calm.seen for calm in motion])

    def rates(seen: Seen) -> Array:
        z = (_pooled(whole(seen), moment_s) - middle) / spread
        return np.array([math.exp(log_rate(knots, one)) for one in z.tolist()])

    return rates


def _pooled(scores: Array, moment_s: float) -> Array:
    """Means over the newest POOLED_S; the first moment stands for those before it."""
    length = max(1, round(POOLED_S / moment_s))
    return np.asarray(uniform_filter1d(scores, length, mode="nearest", origin=(length - 1) // 2), np.float64)


def _standard(motion: Sequence[Seen]) -> tuple[Array, Callable[[Seen], Array]]:
    """All inputs (n, D) with mean 0 and spread 1, and how others become so."""
    inputs = np.concatenate([seen.inputs for seen in motion])
    mean, scale = inputs.mean(axis=0), inputs.std(axis=0) + LEAST_SCALE

    def standard(seen: Seen) -> Array:
        return np.asarray((seen.inputs - mean) / scale, np.float64)

    return (inputs - mean) / scale, standard


def fit_pca(components: int) -> Fit:
    """Logarithm of the mean square that so many components leave."""

    def fit(motion: Sequence[Seen]) -> Scorer:
        inputs, standard = _standard(motion)
        pca = PCA(components, svd_solver="covariance_eigh").fit(inputs)

        def score(seen: Seen) -> Array:
            rows = standard(seen)
            rest = rows - pca.inverse_transform(pca.transform(rows))
            return np.asarray(np.log(np.maximum(np.square(rest).mean(axis=1), TINY)), np.float64)

        return score

    return fit


def fit_one_class_svm(motion: Sequence[Seen]) -> Scorer:
    """Distance to the edge of what most of SVM_ROWS random moments are in."""
    inputs, standard = _standard(motion)
    rows = np.random.default_rng(0).permutation(len(inputs))[:SVM_ROWS]
    machine = OneClassSVM(nu=SVM_OUTSIDE, gamma="scale").fit(inputs[rows])
    return lambda seen: -np.asarray(machine.decision_function(standard(seen)), np.float64)


def fit_half_space_trees(motion: Sequence[Seen]) -> Scorer:
    """river's, of inputs between the extremes of normal motion."""
    inputs = np.concatenate([seen.inputs for seen in motion])
    low, high = inputs.min(axis=0), inputs.max(axis=0)

    def rows(moments: Array) -> list[dict[int, float]]:
        shares = np.clip((moments - low) / np.maximum(high - low, LEAST_SCALE), 0, 1)
        return [dict(enumerate(row)) for row in shares.tolist()]

    trees = HalfSpaceTrees(
        n_trees=25, height=10, window_size=len(inputs), limits=dict.fromkeys(range(inputs.shape[1]), (0, 1)), seed=0
    )
    for row in rows(np.random.default_rng(0).permutation(inputs)):
        trees.learn_one(row)
    return lambda seen: np.array([trees.score_one(row) for row in rows(seen.inputs)])


def fit_distance(motion: Sequence[Seen]) -> Scorer:
    """Logarithm of the distance of the embedding to the nearest of PLACES."""
    shown = np.concatenate([seen.embeddings for seen in motion])
    places = Nearest(KMeans(min(PLACES, len(shown)), n_init=1, random_state=0).fit(shown).cluster_centers_)
    return lambda seen: np.log(np.maximum(places.distances(seen.embeddings), TINY))


def fit_prediction_error(motion: Sequence[Seen]) -> Scorer:
    """Logarithm of the network's own error; there is nothing to fit."""
    del motion
    return lambda seen: np.log(np.maximum(seen.errors, TINY))


BASELINES: dict[str, Fit] = {
    "half_space_trees": fit_half_space_trees,
    "one_class_svm": fit_one_class_svm,
    "pca_64": fit_pca(64),
    "pca_32": fit_pca(32),
    "distance": fit_distance,
    "prediction_error": fit_prediction_error,
}
"""By the part of a row."""
