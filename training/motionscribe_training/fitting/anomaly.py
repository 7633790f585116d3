"""Fits the constants of the anomaly scores to normal motion that what they compare with has not seen.

In: recordings of normal motion as features (m, F), raw frames and embeddings (n, d). Out: the arrays of
motionscribe_server/session/anomaly/reference.py. Recordings are judged, as a stream's are, by a pose model and by known
behaviours that were fitted to others. How somebody moves is to be judged by what other people do: PEOPLE runs of
neighbouring recordings are left out in turns, since neighbours are of one person. What is new is to be judged by others
who do the same: every second recording is left out. What the sensors of a recording say that no body does is a fault of
the recording and not counted as normal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_server.session.anomaly.detector import LATER_S
from motionscribe_server.session.anomaly.levels import Levels, fit_drift, levelled
from motionscribe_server.session.anomaly.nearest import Nearest
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.pools import Pools
from motionscribe_server.session.anomaly.pose_model import LAGS, PoseModel
from motionscribe_server.session.anomaly.reference import BEHAVIOURS, DRIFT, Layout, normal_of, rates_of
from motionscribe_server.session.anomaly.score import standardise
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.shown import Shown, described
from motionscribe_server.session.span import Span
from motionscribe_training.errors import TrainingError
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.pose_model import fit_pose_model, pose_inputs
from motionscribe_training.fitting.shown import fit_shown

PEOPLE = 4
"""With every second recording left out instead, alarms of motion came 10 times as often as their budget of 6 an hour on
people who were not seen, with these 2.6 times (`python -m benchmarks.anomaly.false_alarms --models body`)."""
OTHERS = 2
PLACES = 256
"""Embeddings that stand for all that were shown."""
FAULT_S = 1.0
"""Around a fault of a recording nothing is counted."""
LEAST_S = 10.0
"""Of normal motion, to say anything of."""
ANY_MOMENT = 1.0
"""Stands in for the rates of order, of which nothing is fitted."""
LEAST_LEVELS = 6
"""Times the span of a level, of a table: each half must have one, and moments to compare it with."""


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """A recording of normal motion, or a part of one without a gap."""

    motion: int
    """Copies of one motion have one number, and are never on both sides."""
    features: NDArray[np.float32]
    """(m, F) at the model's rate."""
    sensed: Sequence[Sensed]
    """Of its moments; those that no frame fell in are left out of it and of nothing else."""
    embeddings: Array
    """(n, d)"""


def fit_anomaly(
    feature_map: FeatureMap, recordings: Sequence[Normal], stride: int, durations: Durations, seed: int
) -> dict[str, Array]:
    """All anomaly arrays of a model folder. Raises TrainingError for too little motion."""
    moment_s = durations.moment_s
    seconds = sum(len(recording.sensed) for recording in recordings) * moment_s
    if seconds < LEAST_S:
        raise TrainingError(f"expected at least {LEAST_S:g} s of motion to fit alarms on, got {seconds:.1f} s")
    if len({recording.motion for recording in recordings}) < OTHERS:
        recordings = [half for recording in recordings for half in _halves(recording, stride)]
    distinct = sorted({recording.motion for recording in recordings})
    width = recordings[0].embeddings.shape[1] + feature_map.width * (1 + len(LAGS))
    run = _runs(recordings, distinct)
    models = [
        PoseModel(feature_map, fit_pose_model(feature_map, [x.features for x in others], stride, seed))
        for others in ([x for x in recordings if run[x.motion] != own] for own in range(max(run.values()) + 1))
    ]
    half = {motion: number % OTHERS for number, motion in enumerate(distinct)}
    known = [
        (
            Nearest(_spread_out(others, seed)),
            Shown(fit_shown([_moments(x, _inputs(x, stride)) for x in others], seed), width),
        )
        for others in ([x for x in recordings if half[x.motion] != own] for own in range(OTHERS))
    ]
    seen = [_see(x, models[run[x.motion]], *known[half[x.motion]], stride) for x in recordings]
    layout, arrays = Layout(feature_map), dict[str, Array]()
    shifts = [np.zeros((len(x.sensed), 0)) for x in seen]
    if feature_map.representation.has_levels:
        spans = durations["level"], durations["usual"]
        # of all motion: two numbers a column do not learn a recording by heart, and halves of a short one say little
        least = LEAST_LEVELS * spans[0]
        if (moments := sum(len(x.sensed) for x in seen)) < least:
            raise TrainingError(
                f"expected readings of at least {least * moment_s:g} s to fit alarms on, got {moments * moment_s:g} s"
            )
        having_levels = [x.levelled() for x in seen]
        arrays[DRIFT] = fit_drift(having_levels, *spans)
        later = round(LATER_S / moment_s)
        shifts = [_shifts(x, Levels(arrays[DRIFT], *spans, later)) for x in having_levels]
    impossible = feature_map.representation.impossible
    judged = [_judge(x, own, layout, impossible, moment_s) for x, own in zip(seen, shifts, strict=True)]
    for score, columns in layout.slices():
        if score.constants is not None:
            continue
        counted = [fine & np.isfinite(own[:, columns.start]) for own, _, fine in judged]  # pools are full
        logs = [own[rows, columns] for (own, _, _), rows in zip(judged, counted, strict=True) if rows.any()]
        vigour = [at[rows, columns] for (_, at, _), rows in zip(judged, counted, strict=True) if rows.any()]
        if not logs:
            raise TrainingError(f"expected motion of more than {score.pooled_s:g} s without faults, got none")
        normal = score.fit_normal(np.concatenate(logs), np.concatenate(vigour))
        z = [standardise(normal, own, at).max(axis=1) for own, at in zip(logs, vigour, strict=True)]
        arrays |= {normal_of(score.name): normal, rates_of(score.name): score.fit_rates(z, moment_s)}
    pose_model = fit_pose_model(feature_map, [x.features for x in recordings], stride, seed)
    points = fit_shown([_moments(x, _inputs(x, stride)) for x in recordings], seed)
    return {**arrays, **pose_model, **points, BEHAVIOURS: _spread_out(recordings, seed).astype(np.float32)}


def _runs(recordings: Sequence[Normal], distinct: Sequence[int]) -> dict[int, int]:
    """The run, from 0 on, of each of the `distinct` motions: at most PEOPLE, about equally long, none empty."""
    length = {x.motion: len(x.sensed) for x in recordings}
    lengths = np.array([length[motion] for motion in distinct], float)
    middles = np.cumsum(lengths) - lengths / 2
    place = np.minimum(PEOPLE * middles / lengths.sum(), PEOPLE - 1).astype(int)
    _, run = np.unique(place, return_inverse=True)
    return dict(zip(distinct, run.tolist(), strict=True))


def _halves(recording: Normal, stride: int) -> list[Normal]:
    """Both halves of the only motion there is."""
    middle = len(recording.sensed) // 2
    parts = [slice(0, middle), slice(middle, len(recording.sensed))]
    frames = [slice(0, middle * stride), slice(middle * stride, None)]
    return [
        Normal(number, recording.features[own], recording.sensed[part], recording.embeddings[part])
        for number, (own, part) in enumerate(zip(frames, parts, strict=True))
        if part.start < part.stop
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """The n moments of a recording as a pose model and behaviours see them that have not learnt from it."""

    frames: NDArray[np.float32]
    """(n, stride, F)"""
    sensed: Sequence[Sensed]
    misfits: Array
    """(n, G)"""
    away: Array
    """(n,) distances of embeddings"""
    unseen: Array
    """(n,) distances to what was shown"""

    def levelled(self) -> Array:
        """(n, L) what has levels."""
        return np.array([levelled(*moment) for moment in zip(self.frames, self.sensed, self.misfits, strict=True)])


def _inputs(recording: Normal, stride: int) -> Array:
    """(n, D) what the pose model sees of its moments."""
    return pose_inputs(recording.features, stride)[: min(len(recording.sensed), len(recording.embeddings))]


def _moments(recording: Normal, inputs: Array) -> Array:
    """(n, d + D) as shown.py has them."""
    return described(recording.embeddings[: len(inputs)], inputs)


def _see(recording: Normal, model: PoseModel, behaviours: Nearest, shown: Shown, stride: int) -> _Seen:
    inputs = _inputs(recording, stride)
    count = len(inputs)
    return _Seen(
        recording.features[: count * stride].reshape(count, stride, -1),
        recording.sensed[:count],
        model.misfits(inputs),
        behaviours.distances(recording.embeddings[:count]),
        shown.distances(_moments(recording, inputs)),
    )


def _judge(
    seen: _Seen, shifts: Array, layout: Layout, impossible: float, moment_s: float
) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Pooled logarithms (n, C), the vigour of each, and which moments have no fault of the recording near them."""
    count = len(seen.sensed)
    pools, rows = Pools(layout, moment_s), []
    for n in range(count):
        span = Span(n + 1, n + 2, n, n + 1)
        moment = (
            seen.sensed[n],
            seen.misfits[n],
            float(seen.away[n]),
            float(seen.unseen[n]),
            seen.frames[n, -1],
            shifts[n],
            ANY_MOMENT,
            ANY_MOMENT,
        )
        rows.append(pools.add(Observation(span, *moment)))
    faults = np.array([sensed.jump.max() > impossible for sensed in seen.sensed])
    reach = round(FAULT_S / moment_s)
    near = np.convolve(faults, np.ones(2 * reach + 1))[reach : reach + count] > 0
    pooled, vigour = zip(*rows, strict=True)
    return np.array(pooled), np.array(vigour), ~near


def _shifts(moments: Array, levels: Levels) -> Array:
    """(n, L), of a stream in which nothing is wrong."""
    shifts = []
    for values in moments:
        shifts.append(levels.update(values))
        levels.learn(quiet=True)
    return np.array(shifts)


def _spread_out(recordings: Sequence[Normal], seed: int) -> Array:
    """At most PLACES embeddings (k, d) that stand for those of all recordings."""
    everything = np.concatenate([recording.embeddings for recording in recordings])
    if len(everything) <= PLACES:
        return everything
    return np.asarray(KMeans(PLACES, n_init=1, random_state=seed).fit(everything).cluster_centers_, np.float64)
