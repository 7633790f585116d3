"""A score more is one class and one line in the table: fitting, the model folder and sessions follow.

The recipe of a newcomer, with a throw-away score: how far the pose is from where it usually is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.anomaly_moments import moments, noise
from tests.support.made_up_session import RATE, feed, made_up_bundle, made_up_model, motion

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.recordings import even_times
from motionscribe_proto.events import Anomaly
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.reference import anomaly_arrays, fit_reference
from motionscribe_server.session.anomaly.score import Shape
from motionscribe_server.session.anomaly.table import SCORES
from motionscribe_server.session.model import ServedModel

Array = NDArray[np.float64]
MODEL = made_up_model()


class Farness:
    """Distance of the moment's mean pose from the usual one, in usual distances."""

    name: ClassVar[str] = "farness"
    arrays: ClassVar[Mapping[str, Shape]] = {"anomaly.farness.centre": (None,), "anomaly.farness.scale": (1,)}

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._centre, self._scale = arrays["anomaly.farness.centre"], float(arrays["anomaly.farness.scale"][0])

    @classmethod
    def fit(cls, recordings: Sequence[Sequence[Observation]]) -> dict[str, Array]:
        poses = np.array([o.frames.mean(axis=0) for recording in recordings for o in recording], np.float64)
        scale = np.linalg.norm(poses - poses.mean(axis=0), axis=1).mean()
        return {"anomaly.farness.centre": poses.mean(axis=0), "anomaly.farness.scale": np.array([max(scale, 0.1)])}

    def update(self, observation: Observation) -> float | None:
        return float(np.linalg.norm(observation.frames.mean(axis=0) - self._centre)) / self._scale

    def restart(self) -> None:
        """It has no memory."""

    def state(self) -> dict[str, Any]:
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """It has no memory."""


@pytest.fixture
def with_farness(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line in the table."""
    monkeypatch.setitem(SCORES, Farness.name, Farness)


def model_with(**farness: Array) -> ServedModel:
    bundle = made_up_bundle()
    arrays = {**bundle.arrays, **{f"anomaly.farness.{part}": array for part, array in farness.items()}}
    return ServedModel(replace(bundle, arrays=arrays))


def anomalies(model: ServedModel) -> list[Anomaly]:
    """Of a stream that rests at (0, 0) for a minute, then at (2.4, 0) for five seconds, then at (0, 0) again."""
    frames = motion([(0, 600), (4, 50), (0, 50)])
    stream = feed(model)
    events = stream.send(FrameBlock(1, frames, even_times(len(frames), RATE))) + stream.session.close()
    return [event for event in events if isinstance(event, Anomaly)]


@pytest.mark.usefixtures("with_farness")
def test_its_constants_are_fitted_with_those_of_the_others() -> None:
    arrays = fit_reference([moments(*noise(300, seed)) for seed in range(2)])
    assert arrays["anomaly.farness.centre"].shape == (21,)
    assert set(arrays) == set(anomaly_arrays())


@pytest.mark.usefixtures("with_farness")
def test_a_session_scores_by_it() -> None:
    found = anomalies(model_with(centre=np.zeros(2), scale=np.array([0.8])))
    assert [event.ongoing for event in found] == [True, False]
    assert found[1].end_seq - found[1].start_seq == pytest.approx(3 * 50, abs=6)


@pytest.mark.usefixtures("with_farness")
def test_a_model_folder_without_its_arrays_is_refused() -> None:
    with pytest.raises(ModelFolderError, match=r"expected the array anomaly\.farness\.centre, got motion, "):
        model_with(scale=np.ones(1))


def test_without_it_nobody_sees_that() -> None:
    assert anomalies(MODEL) == []
