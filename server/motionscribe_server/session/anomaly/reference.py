"""What the anomaly scores of one model compare with, in its named arrays: fitted offline, read by every stream.

Arrays, for each score of table.py with W columns and no constants of its own: `anomaly.NAME.normal` (4, W), those of
score.py; `anomaly.NAME.rates` (2, n), knots of rates.py. `anomaly.pose.*` are those of pose_model.py,
`anomaly.shown.*` those of shown.py, `anomaly.behaviours` (k, d) embeddings that the training recordings have shown,
`anomaly.drift` (2, L), of tables alone, that of levels.py. A model folder without them gives no alarms.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap
from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly import pose_model, shown
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.nearest import Nearest
from motionscribe_server.session.anomaly.pose_model import LAGS, PoseModel
from motionscribe_server.session.anomaly.score import Score
from motionscribe_server.session.anomaly.shown import Shown, described
from motionscribe_server.session.anomaly.table import fitted_scores, scores_of

BEHAVIOURS = "anomaly.behaviours"
DRIFT = "anomaly.drift"
Shape = tuple[int | None, ...]


def anomaly_arrays(representation: Representation) -> dict[str, Shape]:
    """Names and shapes of all anomaly arrays of a model folder; None is any size."""
    shapes: dict[str, Shape] = {}
    for score in fitted_scores(representation):
        shapes |= {normal_of(score.name): (4, None), rates_of(score.name): (2, None)}
    for part in (pose_model, shown):
        shapes |= {part.PREFIX + name: shape for name, shape in part.SHAPES.items()}
    return shapes | {BEHAVIOURS: (None, None)} | ({DRIFT: (2, None)} if representation.has_levels else {})


def normal_of(score: str) -> str:
    """Name of an array."""
    return f"anomaly.{score.replace(' ', '_')}.normal"


def rates_of(score: str) -> str:
    """Name of an array."""
    return f"anomaly.{score.replace(' ', '_')}.rates"


class Layout:
    """Which columns the scores of a skeleton have, one score's after another's."""

    def __init__(self, feature_map: FeatureMap) -> None:
        sensors = [frozenset([int(joint)]) for joint in feature_map.sensor_joints]
        groups = [frozenset(group) for group in pose_model.groups_of(feature_map)]
        self.scores = scores_of(feature_map.representation)
        columns = [score.columns(tuple(sensors), tuple(groups)) for score in self.scores]
        self.columns = [joints for own in columns for joints in own]
        """(C,) the joints that each column speaks of."""
        counts = [*map(len, columns)]
        self.ends = np.cumsum(counts)
        self.starts: NDArray[np.int64] = self.ends - np.array(counts)
        """(S,) the first column of each score."""
        others = np.array([[not (joints & sensor) for sensor in sensors] for joints in self.columns], np.float64)
        self.others = others / np.maximum(others.sum(axis=1, keepdims=True), 1)
        """(C, B) weights of the sensors whose mean is the vigour that a column is compared with."""

    def slices(self) -> list[tuple[type[Score], slice]]:
        """Each score with its columns."""
        return [(s, slice(a, b)) for s, a, b in zip(self.scores, self.starts, self.ends, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class Distances:
    """How far one moment lies from what the training recordings have shown."""

    misfit: Array
    """(G,) how badly each group of joints fits the others (pose_model.py)."""
    strangeness: float
    """Distance of the embedding to the nearest behaviour."""
    unseen: float
    """Distance to the nearest moment (shown.py)."""


class AnomalyReference:
    """The anomaly constants of one model, shared by its streams."""

    def __init__(self, feature_map: FeatureMap, arrays: Mapping[str, Array], dimensions: int) -> None:
        """`arrays` are those of `anomaly_arrays`. Raises LayoutError for values that no fit gives."""
        self.pose_model = PoseModel(feature_map, arrays)
        behaviours = arrays[BEHAVIOURS]
        self.impossible = feature_map.representation.impossible
        """Acceleration of a sensor that no body has."""
        if behaviours.shape[1] != dimensions or not len(behaviours):
            raise LayoutError(f"{BEHAVIOURS}: expected shape (k, {dimensions}), got {behaviours.shape}")
        self.behaviours = Nearest(behaviours.astype(np.float64))
        self.shown = Shown(arrays, dimensions + feature_map.width * (1 + len(LAGS)))
        self.drift = arrays.get(DRIFT)
        """(2, L) of levels.py, None but for tables."""
        width = feature_map.width + len(feature_map.sensor_joints) + len(self.pose_model.groups)
        if self.drift is not None and self.drift.shape[1] != width:
            raise LayoutError(f"{DRIFT}: expected shape (2, {width}), got {self.drift.shape}")
        self.layout = Layout(feature_map)
        normal = []
        self.knots: list[Array] = []
        """Of each score."""
        for score, own in self.layout.slices():
            width = own.stop - own.start
            name = normal_of(score.name)
            constants, rates = score.constants or (arrays[name], arrays[rates_of(score.name)])
            if constants.shape != (4, width) or not constants[2].min() > 0:
                raise LayoutError(f"{name}: expected shape (4, {width}) and spreads above 0, got {constants.shape}")
            falls = rates.shape[1] >= 2 and (np.diff(rates[0]) > 0).all() and rates[1, -1] < rates[1, -2]
            if not falls:
                raise LayoutError(f"{rates_of(score.name)}: expected knots that rise, of a rate that falls at the end")
            normal.append(constants)
            self.knots.append(rates)
        self.normal = np.concatenate(normal, axis=1)
        """(4, C)"""
        kinds = [score.kind for score in self.layout.scores]
        self.of_kind: dict[Kind, Sequence[int]] = {
            kind: [s for s, own in enumerate(kinds) if own is kind] for kind in Kind
        }
        """Indices of the scores of each kind."""
        self.shared = {kind: math.log(len(own)) for kind, own in self.of_kind.items()}
        """The logarithm of how many scores share a kind's budget."""

    def distances_many(self, embeddings: Array, inputs: Array) -> list[Distances]:
        """Of a moment of each of s streams: embeddings (s, d) and inputs of the pose model (s, D)."""
        strangeness = self.behaviours.distances(embeddings).tolist()
        unseen = self.shown.distances(described(embeddings, inputs)).tolist()
        return [*map(Distances, self.pose_model.misfits(inputs), strangeness, unseen)]
