"""The anomaly constants of a model: their names and shapes, and what is refused of a folder."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.anomaly_arrays import NEVER, made_up_anomaly
from tests.support.anomaly_stream import PLANE
from tests.support.made_up_session import D, made_up_bundle

from motionscribe_models.body.skeleton import BODY
from motionscribe_models.errors import LayoutError, ModelFolderError
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations import REPRESENTATIONS
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.pose_model import LAGS, groups_of
from motionscribe_server.session.anomaly.reference import (
    BEHAVIOURS,
    AnomalyReference,
    Layout,
    anomaly_arrays,
    normal_of,
    rates_of,
)
from motionscribe_server.session.anomaly.table import fitted_scores
from motionscribe_server.session.model import ServedModel

SPACE = FeatureMap(BODY, tuple(range(2, 15)))
Arrays = dict[str, NDArray[np.float64]]


def with_row(name: str, place: int, values: float) -> Callable[[Arrays], None]:
    def change(arrays: Arrays) -> None:
        arrays[name] = arrays[name].copy()
        arrays[name][place] = values

    return change


def with_array(name: str, array: object) -> Callable[[Arrays], None]:
    return lambda arrays: arrays.update({name: np.array(array, float)})


WRONG: dict[str, tuple[str, Callable[[Arrays], None]]] = {
    "no behaviour": (BEHAVIOURS, with_array(BEHAVIOURS, np.zeros((0, D)))),
    "behaviours of other dimensions": (BEHAVIOURS, with_array(BEHAVIOURS, np.zeros((3, D + 1)))),
}
for score in (own.name for own in fitted_scores(PLANE.representation)):
    WRONG |= {
        f"{score} of more columns": (normal_of(score), with_array(normal_of(score), np.ones((4, 9)))),
        f"{score} of three rows": (normal_of(score), with_array(normal_of(score), np.ones((3, 2)))),
        f"{score} without spread": (normal_of(score), with_row(normal_of(score), 2, 0.0)),
        f"{score} with a negative spread": (normal_of(score), with_row(normal_of(score), 2, -1.0)),
        f"{score} of one knot": (rates_of(score), with_array(rates_of(score), [[0], [1]])),
        f"{score} of no knots": (rates_of(score), with_array(rates_of(score), np.zeros((2, 0)))),
        f"{score} of knots in one place": (rates_of(score), with_array(rates_of(score), [[1, 1], [2, 1]])),
        f"{score} of knots that go back": (rates_of(score), with_array(rates_of(score), [[0, 2, 1], [3, 2, 1]])),
        f"{score} of a rate that rises": (rates_of(score), with_array(rates_of(score), [[0, 1], [1, 2]])),
        f"{score} of a rate that stays": (rates_of(score), with_array(rates_of(score), [[0, 1], [1, 1]])),
        f"{score} of a knot that is no number": (rates_of(score), with_array(rates_of(score), [[0, np.nan], [1, 0]])),
    }


def test_names_and_shapes_of_arrays() -> None:
    arrays = anomaly_arrays(PLANE.representation)
    assert {name: shape for name, shape in arrays.items() if ".pose." not in name} == {
        "anomaly.jump.normal": (4, None),
        "anomaly.jump.rates": (2, None),
        "anomaly.frozen.normal": (4, None),
        "anomaly.frozen.rates": (2, None),
        "anomaly.misfit.normal": (4, None),
        "anomaly.misfit.rates": (2, None),
        "anomaly.lasting_misfit.normal": (4, None),
        "anomaly.lasting_misfit.rates": (2, None),
        "anomaly.tremor.normal": (4, None),
        "anomaly.tremor.rates": (2, None),
        "anomaly.strangeness.normal": (4, None),
        "anomaly.strangeness.rates": (2, None),
        "anomaly.unseen_posture.normal": (4, None),
        "anomaly.unseen_posture.rates": (2, None),
        "anomaly.shown.mean": (None,),
        "anomaly.shown.axes": (None, None),
        "anomaly.shown.points": (None, None),
        "anomaly.behaviours": (None, None),
    }
    assert arrays["anomaly.pose.last"] == (None, None)
    assert arrays["anomaly.pose.last_bias"] == (None,)
    assert made_up_anomaly(PLANE, D).keys() == arrays.keys()
    for name, array in made_up_anomaly(SPACE, D).items():
        shape = anomaly_arrays(SPACE.representation)[name]
        assert len(shape) == array.ndim
        assert all(want is None or want == got for want, got in zip(shape, array.shape, strict=True))


@pytest.mark.parametrize("case", WRONG)
def test_a_malformed_array_is_refused_by_its_name(case: str) -> None:
    name, change = WRONG[case]
    arrays = made_up_anomaly(PLANE, D)
    AnomalyReference(PLANE, arrays, D)  # as it was
    change(arrays)
    with pytest.raises(LayoutError, match=f"^{name}: expected"):
        AnomalyReference(PLANE, arrays, D)


@pytest.mark.parametrize("name", anomaly_arrays(REPRESENTATIONS["features"]))
def test_a_folder_without_an_array_or_with_one_of_no_numbers_is_refused(name: str) -> None:
    bundle = made_up_bundle()
    without = {key: array for key, array in bundle.arrays.items() if key != name}
    if name == BEHAVIOURS:  # an older folder
        assert ServedModel(replace(bundle, arrays=without)).anomaly is None
    else:
        with pytest.raises(ModelFolderError, match=f"made-up/1: expected the array {name}, got"):
            ServedModel(replace(bundle, arrays=without))
    array = bundle.arrays[name].copy()
    array.flat[0] = np.nan
    for wrong in (array, bundle.arrays[name][None]):
        with pytest.raises(ModelFolderError, match=f"made-up/1: {name}: expected finite values of shape"):
            ServedModel(replace(bundle, arrays={**bundle.arrays, name: wrong}))


def test_what_the_reference_refuses_a_model_refuses() -> None:
    bundle = made_up_bundle()
    arrays = {**bundle.arrays, rates_of("jump"): np.array([[0.0, 1.0], [0.0, 1.0]])}
    with pytest.raises(ModelFolderError, match=r"made-up/1: anomaly\.jump\.rates: expected knots that rise"):
        ServedModel(replace(bundle, arrays=arrays))


# -- the layout of columns


@pytest.mark.parametrize("feature_map", [PLANE, SPACE], ids=["plane", "body"])
def test_columns_of_all_scores_lie_one_after_another(feature_map: FeatureMap) -> None:
    layout = Layout(feature_map)
    sensors, groups = len(feature_map.sensor_joints), len(groups_of(feature_map))
    widths = {score.name: own.stop - own.start for score, own in layout.slices()}
    wanted = {"jump": sensors, "frozen": sensors, "tremor": sensors, "misfit": groups, "lasting misfit": groups}
    assert widths == {**wanted, "strangeness": 1, "unseen posture": 1, "order": 1, "duration": 1} | (
        {"imbalance": 1} if feature_map is SPACE else {}
    )
    assert [own.start for _, own in layout.slices()] == [0, *(own.stop for _, own in layout.slices())][:-1]
    assert layout.others.shape == (len(layout.columns), sensors) == (sum(widths.values()), sensors)


def test_vigour_leaves_out_the_joints_of_a_column_and_weighs_others_alike() -> None:
    layout = Layout(SPACE)
    for joints, weights in zip(layout.columns, layout.others, strict=True):
        own = np.isin(SPACE.sensor_joints, [*joints])
        assert not weights[own].any()
        assert np.ptp(weights[~own]) == 0
        assert weights.sum() == pytest.approx(1)


def test_each_score_has_one_kind_and_shares_its_budget() -> None:
    reference = AnomalyReference(PLANE, made_up_anomaly(PLANE, D), D)
    assert sorted(score for own in reference.of_kind.values() for score in own) == list(
        range(len(reference.layout.scores))
    )
    assert set(reference.of_kind) == set(Kind)
    for kind, own in reference.of_kind.items():
        assert all(reference.layout.scores[score].kind is kind for score in own)
        assert reference.shared[kind] == math.log(len(own))
    assert reference.shared[Kind.BEHAVIOUR] == math.log(4)


def test_knots_and_normals_are_those_of_the_arrays() -> None:
    arrays = made_up_anomaly(PLANE, D, {"tremor": ((1.0, 2.0), (5.0, 3.0))})
    reference = AnomalyReference(PLANE, arrays, D)
    tremor = [score.name for score in reference.layout.scores].index("tremor")
    assert reference.knots[tremor].tolist() == [[1, 2], [5, 3]]
    assert reference.knots[0].tolist() == [list(NEVER[0]), list(NEVER[1])]
    assert reference.normal.shape == (4, len(reference.layout.columns))
    (far,) = reference.distances_many(np.full((1, D), 97.0), np.zeros((1, PLANE.width * (1 + len(LAGS)))))
    assert far.strangeness == pytest.approx(3 * math.sqrt(D)), "from the only behaviour"
