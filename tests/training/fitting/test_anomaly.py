"""The constants of the anomaly scores: what they are fitted to, what is left out, and what is refused."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.made_up_motion import FAULTY, MOMENT_S, RATE, SPACE, STRIDE, made_up, made_up_pose_model

from motionscribe.demo.performer import perform
from motionscribe_models.arrays import Array
from motionscribe_models.body.mapping import mapped
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_server.session.anomaly import pose_model as served
from motionscribe_server.session.anomaly.rates import log_rate
from motionscribe_server.session.anomaly.reference import (
    BEHAVIOURS,
    AnomalyReference,
    anomaly_arrays,
    normal_of,
    rates_of,
)
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.anomaly.table import SCORES
from motionscribe_training.data.dataset import make_dataset
from motionscribe_training.errors import TrainingError
from motionscribe_training.fitting import anomaly as module
from motionscribe_training.fitting import pose_model as trained
from motionscribe_training.fitting.anomaly import PLACES, Normal, fit_anomaly
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.sensed import sensed_in

DURATIONS = Durations(MOMENT_S, {})
Arrays = dict[str, NDArray[np.float64]]


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The network is the made-up one, at once."""
    monkeypatch.setattr(module, "fit_pose_model", made_up_pose_model)


def fit(recordings: Sequence[Normal]) -> Arrays:
    return fit_anomaly(SPACE, recordings, STRIDE, DURATIONS, seed=0)


def reach(arrays: Mapping[str, Array], score: str, rate: float = 0.5) -> float:
    """The logarithm of a number of sensor FAULTY at which so many alarms an hour are expected."""
    a, _, s, _ = arrays[normal_of(score)][:, FAULTY]
    z = np.linspace(-20, 200, 20_000)
    rates = [log_rate(arrays[rates_of(score)], own) for own in z]
    return float(a + s * z[int(np.argmin(np.abs(np.array(rates) - np.log(rate))))])


def test_arrays_of_a_performance_are_those_that_a_model_folder_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained, "ITERATIONS", 20)
    script = [("walk", 8.0), ("wave", 6.0), ("squat", 6.0)]
    recordings = [mapped(perform(script, seed=seed, rate_hz=60.0).recording) for seed in (1, 2)]
    dataset = make_dataset(recordings, RATE)
    normal = [
        Normal(number, features, sensed, features[STRIDE - 1 :: STRIDE, :2].astype(np.float64))
        for number, (features, sensed) in enumerate(zip(dataset.sequences, sensed_in(dataset, STRIDE), strict=True))
    ]
    arrays = fit_anomaly(dataset.feature_map, normal, STRIDE, DURATIONS, seed=0)
    shapes = anomaly_arrays(dataset.feature_map.representation)
    assert arrays.keys() == shapes.keys()
    for name, array in arrays.items():
        assert np.isfinite(array).all()
        assert len(shapes[name]) == array.ndim
        assert all(want in (None, got) for want, got in zip(shapes[name], array.shape, strict=True)), name
    AnomalyReference(dataset.feature_map, arrays, 2)  # it is not refused


@pytest.mark.parametrize("numbers", [[0, 0, 1, 1], [5, 5, 9, 9, 9, 2], [3, 1, 2, 3, 1, 2, 0], [*range(11)]])
def test_copies_of_a_motion_are_never_on_both_sides(numbers: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[set[int]] = []
    judged: list[tuple[int, set[int]]] = []

    class Model:
        def __init__(self, feature_map: FeatureMap, arrays: dict[str, set[int]]) -> None:
            self.groups, self.learnt = len(served.groups_of(feature_map)), arrays["anomaly.pose.learnt"]

        def misfits(self, inputs: Array) -> Array:
            judged.append((round(float(inputs[0, 0])), self.learnt))
            return np.ones((len(inputs), self.groups))

    def fit_pose_model(_: FeatureMap, sequences: Sequence[Array], *__: object) -> dict[str, set[int]]:
        learnt.append({round(float(sequence[0, 0])) for sequence in sequences})
        return {"anomaly.pose.learnt": learnt[-1]}

    monkeypatch.setattr(module, "PoseModel", Model)
    monkeypatch.setattr(module, "fit_pose_model", fit_pose_model)
    fit([made_up(number, 10.0, seed=copy) for copy, number in enumerate(numbers)])
    assert sorted(number for number, _ in judged) == sorted(numbers), "each is judged once"
    assert all(number not in others for number, others in judged)
    assert all(others for _, others in judged)
    assert learnt[-1] == set(numbers), "the network of the folder learns from all"
    for others in learnt[:-1]:
        left_out = sorted(set(numbers) - others)
        ranks = [sorted(set(numbers)).index(number) for number in left_out]
        assert ranks == list(range(ranks[0], ranks[-1] + 1)), "neighbours, who may be one person, are left out together"


def test_behaviours_of_the_other_side_judge_a_motion(untrained: None) -> None:
    """A motion is as strange as a stream's would be: its own embeddings do not excuse it."""
    near = [made_up(number, 20.0) for number in range(4)]
    apart = [Normal(own.motion, own.features, own.sensed, own.embeddings + 50.0 * (own.motion % 2)) for own in near]
    a = normal_of("strangeness")
    assert fit(near)[a][0, 0] < 0 < np.log(40) < fit(apart)[a][0, 0]


def test_what_no_body_does_is_not_counted_as_normal(untrained: None, monkeypatch: pytest.MonkeyPatch) -> None:
    clean = fit([made_up(number, 60.0) for number in range(4)])
    faulty = [made_up(number, 60.0, jumps_at=(50, 200, 201, 599)) for number in range(4)]
    assert reach(fit(faulty), "jump") == pytest.approx(reach(clean, "jump"), abs=0.15)
    monkeypatch.setattr(REPRESENTATIONS["body"], "impossible", np.inf, raising=True)
    assert reach(fit(faulty), "jump") > reach(clean, "jump") + 2, "they would be, otherwise"


def test_an_impossible_jump_spoils_what_is_near_it_and_nothing_else(
    untrained: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    lengths: list[int] = []
    fit_rates = SCORES["tremor"].fit_rates

    def spy(scores: Sequence[Array], moment_s: float) -> Array:
        lengths.append(sum(map(len, scores)))
        return fit_rates(scores, moment_s)

    monkeypatch.setattr(SCORES["tremor"], "fit_rates", spy)
    fit([made_up(0, 20.0), made_up(1, 20.0, jumps_at=[100])])
    filling, reach_moments = round(SCORES["tremor"].pooled_s / MOMENT_S) - 1, 10
    assert lengths == [2 * (200 - filling) - (2 * reach_moments + 1)]


def test_there_are_at_most_so_many_behaviours(untrained: None) -> None:
    few = [made_up(number, 16.0) for number in range(2)]
    assert len(fit([Normal(x.motion, x.features, x.sensed, x.embeddings[:20]) for x in few])[BEHAVIOURS]) == 40
    many = fit(few)[BEHAVIOURS]
    assert many.shape == (PLACES, 2)
    assert np.abs(many).max() < 5, "they lie among those that were shown"


@pytest.mark.parametrize("lengths", [[9.8], [4.0, 4.0, 1.8]])
def test_too_little_motion_is_refused(untrained: None, lengths: list[float]) -> None:
    recordings = [made_up(number, seconds) for number, seconds in enumerate(lengths)]
    with pytest.raises(TrainingError, match=r"expected at least 10 s of motion to fit alarms on, got 9\.8 s"):
        fit(recordings)
    fit([*recordings, made_up(9, 1.0)])  # it would be enough


def test_motion_that_is_all_faults_is_refused(untrained: None) -> None:
    recordings = [made_up(number, 20.0, jumps_at=range(0, 200, 15)) for number in range(2)]
    with pytest.raises(TrainingError, match="expected motion of more than 0 s without faults, got none"):
        fit(recordings)


def test_parts_of_which_none_fills_a_pool_are_refused(untrained: None) -> None:
    with pytest.raises(TrainingError, match=r"expected motion of more than 1\.5 s without faults, got none"):
        fit([made_up(number, 1.4) for number in range(40)])
    fit([made_up(number, 1.5) for number in range(40)])


def test_a_single_motion_is_fitted_to_all_the_same(untrained: None) -> None:
    arrays = fit([made_up(3, 40.0)])
    assert arrays.keys() == anomaly_arrays(SPACE.representation).keys()
    AnomalyReference(SPACE, arrays, 2)


def test_halves_of_a_single_motion_judge_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first feature is the number of the moment: each half is judged by the network that learnt the other."""
    learnt: list[set[int]] = []
    judged: list[tuple[set[int], set[int]]] = []

    class Model:
        def __init__(self, feature_map: FeatureMap, arrays: dict[str, set[int]]) -> None:
            self.groups, self.learnt = len(served.groups_of(feature_map)), arrays["anomaly.pose.learnt"]

        def misfits(self, inputs: Array) -> Array:
            judged.append(({round(float(x)) for x in inputs[:, 0]}, self.learnt))
            return np.ones((len(inputs), self.groups))

    def fit_pose_model(_: FeatureMap, sequences: Sequence[Array], *__: object) -> dict[str, set[int]]:
        learnt.append({round(float(x)) for sequence in sequences for x in sequence[:, 0]})
        return {"anomaly.pose.learnt": learnt[-1]}

    monkeypatch.setattr(module, "PoseModel", Model)
    monkeypatch.setattr(module, "fit_pose_model", fit_pose_model)
    own = made_up(3, 40.1)  # an odd number of moments
    own.features[:, 0] = np.arange(len(own.features)) // STRIDE
    fit([own])
    first, second = set(range(200)), set(range(200, 401))
    assert judged == [(first, second), (second, first)]
    assert learnt[-1] == first | second, "the network of the folder learns from all"


def test_a_single_motion_may_have_a_part_of_one_moment(untrained: None) -> None:
    """As where a recording has gaps; beside another motion such a part does no harm."""
    arrays = fit([made_up(3, 40.0), made_up(3, 0.1)])
    AnomalyReference(SPACE, arrays, 2)


def test_more_vigour_is_no_fault(untrained: None) -> None:
    """Where all sensors jump more when all shake more, b is above 0, and 0 where vigour says nothing."""

    def lively(own: Normal, share: float) -> Normal:
        level = np.repeat(np.random.default_rng(own.motion).normal(0, 1.5, 20), len(own.sensed) // 20)
        sensed = [
            Sensed(old.jump * np.exp(share * at), old.tremor * np.exp(at), old.still_s)
            for old, at in zip(own.sensed, level, strict=True)
        ]
        return Normal(own.motion, own.features, sensed, own.embeddings)

    recordings = [made_up(number, 60.0) for number in range(4)]
    for share, low, high in ((0.5, 0.2, 0.6), (0.0, 0.0, 0.05)):
        b = fit([lively(own, share) for own in recordings])[normal_of("jump")][1]
        assert low <= b.mean() <= high
