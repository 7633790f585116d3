"""Fits everything else that a server needs to a trained network: PCA, pooled embedding, first clusters, thresholds.

In: the network, the feature sequences (m, F) that it learnt from, and those of recordings with several actions each.
Out: arrays and settings as ServedModel (motionscribe_server.session.model) reads them; the network gets its PCA. No
labels are used. What the server computes is computed here by the server's own classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_models.lags import LAGS
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.model import penalty_of
from motionscribe_training.errors import TrainingError
from motionscribe_training.fitting.anomaly import Normal, fit_anomaly
from motionscribe_training.fitting.calibration import fit_stability
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.first_clusters import RADIUS, first_clusters, partition
from motionscribe_training.fitting.first_exemplars import first_exemplars
from motionscribe_training.fitting.motion import evidence_of, fit_motion
from motionscribe_training.fitting.slow_features import REVISIONS, Part, fit_students, fit_teachers
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states

SPANS = (0.12, 0.24, 0.4, 0.6, 1.0)
"""Trailing spans of the evidence, shares of the longest."""
SHORT = 0.4
"""Motion over this span is a part of the embedding too: it says where an action ends."""
WEIGHTS = (1.0, 0.7, 1.0)
"""Weights of the embedding's parts: motion over the longest span, over SHORT, and decoder states over the longest.
From .6 to 1.3 the last made less difference on unseen trials of CMU subject 86 than the seed of the network."""
YOUNG = 0.5
"""Share of the penalty that a segment costs at first."""
PCA_ROWS = 200_000
"""Decoder states that the PCA sees at most; it does not change visibly with more."""


@dataclass(frozen=True)
class FitResult:
    """The content of the model folder beside the graphs."""

    arrays: dict[str, NDArray[Any]]
    settings: dict[str, float]
    latency: dict[str, int]


def fit(
    network: Seq2Seq,
    recordings: Sequence[NDArray[np.float32]],
    multi_action: Sequence[NDArray[np.float32]],
    sensed: Sequence[Sequence[Sensed]],
    *,
    window: int,
    stride: int,
    steps: int,
    projected: int,
    durations: Durations,
    seed: int,
    feature_map: FeatureMap,
    normal: Mapping[int, int],
    copies: int = 1,
    views: int = 1,
) -> FitResult:
    """Fits all of it and sets network.pca_mean and pca_components. Raises TrainingError for too little motion.

    The PCA is fitted to all `recordings`; the embedding to `multi_action`, recordings in which actions change. When it
    was also fitted to 28 recordings of other people, most of one action each, accuracy on held-out trials of CMU
    subject 86 fell by 5 points. There may be several `copies` of all of these, one set after another and equally
    long; where they are as many `views`, the embedding shows what they have in common. What anomalies are compared
    with is fitted to `normal`: indices of recordings, each with the number of its motion, of which there may be copies;
    `sensed` is what the sensors said in their moments.
    """
    slow = durations["slow"]
    least = 2 * slow + REVISIONS
    long = [x for x in multi_action if len(x) // stride > least]
    if not long:
        raise TrainingError(f"expected a recording of more than {least * durations.moment_s:.1f} s to fit on")

    def see(features: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return running_states(network, features, stride=stride, steps=steps)

    pca = _fit_pca([_sample(see(x)[0], len(recordings), seed) for x in recordings], projected)
    windows = [see(x) for x in long]
    network.pca_mean = torch.from_numpy(pca.mean_.astype(np.float32)).to(network.mean.device)
    network.pca_components = torch.from_numpy(pca.components_.astype(np.float32)).to(network.mean.device)
    states = [pca.transform(s.reshape(-1, s.shape[-1])).reshape(*s.shape[:2], -1) for s, _ in windows]

    longest = durations.exact("pooled") * stride
    spans = sorted({max(1, round(share * longest)) for share in SPANS})
    motion = fit_motion(long, network.std.cpu().numpy())
    evidence = [evidence_of(x, s, motion, spans, stride) for x, s in zip(long, states, strict=True)]
    parts = parts_of(spans, stride, 2 * motion.shape[2], 2 * projected)
    teachers = fit_teachers(evidence, parts, slow, views)
    embeddings = [teachers.embed(x) for x in evidence]
    students = fit_students(evidence, teachers)

    settings = _settings(durations)
    penalty = penalty_of(settings)
    partitions = [partition(x, penalty) for x in embeddings]
    centres = first_clusters(partitions, durations)
    originals = list(zip(long, partitions, strict=True))[: len(long) // copies]
    latency: dict[str, int] = {lag: durations[lag] for lag in LAGS}
    scale = np.maximum(np.concatenate(list(recordings)).std(axis=0, dtype=np.float64), network.std.cpu().numpy() * 0.1)

    def embed(x: NDArray[np.float32]) -> Array:
        found = pca.transform(see(x)[0].reshape(-1, network.pca_mean.shape[0]))
        return students.estimate(evidence_of(x, found.reshape(-1, steps, projected), motion, spans, stride), 0)

    moving = [
        Normal(number, recordings[n], sensed[n], embed(recordings[n]))
        for n, number in normal.items()
        if len(recordings[n]) >= stride
    ]
    arrays = {
        "motion": motion.astype(np.float32),
        "spans": np.array(spans),
        "evidence_mean": students.evidence_mean.astype(np.float32),
        "students": students.maps.astype(np.float32),
        "embedding_mean": students.embedding_mean.astype(np.float32),
        "centres": centres.astype(np.float32),
        **first_exemplars(originals, centres, stride, feature_map, stride / durations.moment_s),
        "feature_scale": scale,
        "stability": fit_stability(evidence, copies, views, parts, penalty, latency, durations),
        **fit_anomaly(feature_map, moving, stride, durations, seed),
    }
    return FitResult(arrays, settings, latency)


def _sample(states: NDArray[np.float32], recordings: int, seed: int) -> NDArray[np.float32]:
    """At most a recording's part of PCA_ROWS of its decoder states (n, M, H), as rows (r, H)."""
    rows = states.reshape(-1, states.shape[-1])
    most = PCA_ROWS // recordings
    if len(rows) <= most:
        return rows
    return rows[np.random.default_rng(seed).choice(len(rows), most, replace=False)]


def _fit_pca(rows: Sequence[NDArray[np.float32]], projected: int) -> PCA:
    """Raises TrainingError for fewer states than dimensions."""
    everything = np.concatenate(rows)
    if len(everything) < projected:
        raise TrainingError(f"expected at least {projected} decoder states to project to, got {len(everything)}")
    return PCA(projected, svd_solver="covariance_eigh").fit(everything)


def parts_of(spans: Sequence[int], stride: int, motion: int, states: int) -> list[Part]:
    """The motion and the decoder states over the longest of `spans` (frames), and the motion over SHORT of it.

    Evidence has `motion` columns for each span, then `states` columns for each.
    """
    longest, short = len(spans) - 1, spans.index(max(1, round(SHORT * spans[-1])))
    moving = slice(0, motion * len(spans))
    expecting = slice(moving.stop, moving.stop + states * len(spans))

    def part(kind: slice, width: int, place: int, weight: float) -> Part:
        first = kind.start + width * place
        return Part(kind, slice(first, first + width), spans[place] // stride, weight / float(np.linalg.norm(WEIGHTS)))

    return [
        part(moving, motion, longest, WEIGHTS[0]),
        part(moving, motion, short, WEIGHTS[1]),
        part(expecting, states, longest, WEIGHTS[2]),
    ]


def _settings(durations: Durations) -> dict[str, float]:
    # deviations add up over moments, so that a penalty is worth the same time at another stride
    closed = durations.exact("penalty")
    return {"closed": closed, "young": YOUNG * closed, **durations.settings(), "radius": RADIUS}
