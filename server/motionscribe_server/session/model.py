"""A loaded model folder as a session sees it: the numbers that turn decoder states into embeddings, labels and scores.

In: a verified bundle. Out: typed, checked arrays and settings. It leaves the ONNX graphs to engine/inference.py.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.body.actions import ACTIONS
from motionscribe_models.durations import session_moments
from motionscribe_models.errors import LayoutError, ModelFolderError
from motionscribe_models.features import FeatureMap
from motionscribe_models.lags import LAGS, Lag
from motionscribe_models.manifest import MAX_SIZE, Manifest
from motionscribe_models.repository import ModelBundle
from motionscribe_server.session.anomaly.reference import BEHAVIOURS, AnomalyReference, anomaly_arrays
from motionscribe_server.session.cluster_map import plane_of
from motionscribe_server.session.exemplars import VALUES
from motionscribe_server.session.segmenter import Penalty
from motionscribe_server.session.stability import INPUTS

WINDOWED_INPUTS = 5
"""Of stability's inputs those that windowed models weigh: the first."""


class ServedModel:
    """What was trained, by name. Raises ModelFolderError where an array or setting is missing or of another shape.

    Arrays of the folder, q motion and Q evidence values, d embedding dimensions, L revised moments:
      motion (2, F, q)             features of a frame, and of the one before it, to its motion
      spans (k,) int               trailing spans that motion and states are pooled over, in frames
      evidence_mean (Q,)
      students (L + 1, Q, d)       evidence to the embedding of the moment i moments ago, i = 0..L
      embedding_mean (L + 1, d)
      centres (n, d)               clusters of the training recordings, ids 1..n
      feature_scale (F,)           standard deviation of each feature, for prediction errors
      stability (3, INPUTS)        a logistic regression (stability.py) for each lag: fast, balanced, stable
      anomaly.*                    constants of the anomaly scores, see anomaly/reference.py; may be left out
      exemplars (n, K, D)          a clip of each cluster (exemplars.py); may be left out
      centre_names (n,)            what each plainly is, an index of body/actions.py's ACTIONS, -1 for nothing; likewise
    Settings: those of Penalty, and radius: the distance within which segments show the same action; durations of
    motionscribe_models/durations.py may be left out.
    """

    def __init__(self, bundle: ModelBundle) -> None:
        self.manifest: Manifest = bundle.manifest
        try:
            self._read(bundle)
        except ModelFolderError as error:
            raise ModelFolderError(f"{self.key}: {error}") from error

    def _read(self, bundle: ModelBundle) -> None:
        self.feature_map = FeatureMap(bundle.manifest.skeleton, bundle.manifest.feature_joints)
        if self.feature_map.width != self.manifest.features:
            raise ModelFolderError(
                f"expected {self.feature_map.width} features of joints {self.manifest.feature_joints}, "
                f"got {self.manifest.features}"
            )
        self._arrays = bundle.arrays
        self.motion: Array = self._array("motion", 3, 2, self.manifest.features)
        self.spans = tuple(int(span) for span in self._array("spans", 1))
        if not self.spans or min(self.spans) < 1 or max(self.spans) > MAX_SIZE:
            raise ModelFolderError(f"expected spans from 1 to {MAX_SIZE} frames, got {self.spans}")
        # as they are in the folder: twice as wide they would cost twice the time
        self.students: NDArray[np.float32] = self._array("students", 3).astype(np.float32)
        revisions, evidence, self.dimensions = self.students.shape
        self.evidence_mean: Array = self._array("evidence_mean", 1, evidence)
        self.embedding_mean: Array = self._array("embedding_mean", 2, revisions, self.dimensions)
        self.centres: Array = self._array("centres", 2, None, self.dimensions)
        self.feature_scale: Array = self._array("feature_scale", 1, self.manifest.features)
        if not self.feature_scale.min() > 0:
            raise ModelFolderError(f"feature_scale: expected values above 0, got {self.feature_scale.min():g}")
        weighed = INPUTS if self.manifest.forgets_after is None else WINDOWED_INPUTS
        self._stability = np.zeros((len(LAGS), INPUTS))
        self._stability[:, :weighed] = self._array("stability", 2, len(LAGS), weighed)
        expected = 2 * (self.motion.shape[2] + self.manifest.projected) * len(self.spans)
        if evidence != expected:
            raise ModelFolderError(f"expected students of {expected} evidence values, got {evidence}")
        self.anomaly = self._read_anomaly()
        """None for a model that was trained before there were alarms of these kinds: it gives none."""
        self.exemplars = self._read_exemplars()
        """A clip of each centre (exemplars.py), or none at all."""
        self.names = self._read_names()
        """By cluster id, of the centres that plainly are something."""
        self.penalty = penalty_of(self.manifest.settings)
        self.durations = session_moments(self.manifest.settings, self.moment_s)
        """Moments by name, those of durations.SESSION."""
        self.radius = _positive(self.manifest.settings, "radius")
        self.largest = _positive(self.manifest.settings, "largest")
        """Magnitude of the raw values that it was trained on."""
        for lag in LAGS:
            if self.latency(lag) > self.durations["history"]:  # what is learnt has no label any more
                raise ModelFolderError(
                    f"expected a latency within the history, {self.durations['history']} moments, "
                    f"got {self.latency(lag)} for {lag}"
                )

    @cached_property
    def plane(self) -> tuple[Array, Array]:
        """In which its clusters are mapped (cluster_map.py)."""
        return plane_of(self.centres)

    @property
    def moment_s(self) -> float:
        """Seconds from one moment to the next."""
        return self.manifest.stride / self.manifest.rate_hz

    @property
    def revisions(self) -> int:
        """L: how often the embedding of a moment is estimated again."""
        return len(self.students) - 1

    @property
    def key(self) -> str:
        """name/version."""
        return f"{self.manifest.name}/{self.manifest.version}"

    def latency(self, lag: Lag) -> int:
        """Moments until a label is final, at least 1."""
        if lag not in self.manifest.latency or self.manifest.latency[lag] < 1:
            raise ModelFolderError(f"expected a latency of at least one moment for {lag}, got {self.manifest.latency}")
        return self.manifest.latency[lag]

    def stability(self, lag: Lag) -> Array:
        """Weights (INPUTS,) of the chance that a provisional label stays."""
        weights: Array = self._stability[LAGS.index(lag)]
        return weights

    def _read_anomaly(self) -> AnomalyReference | None:
        if BEHAVIOURS not in self._arrays:
            return None
        arrays = {
            name: self._array(name, len(shape), *shape)
            for name, shape in anomaly_arrays(self.feature_map.representation).items()
        }
        try:
            return AnomalyReference(self.feature_map, arrays, self.dimensions)
        except LayoutError as error:
            raise ModelFolderError(str(error)) from error

    def _read_exemplars(self) -> tuple[bytes, ...]:
        if "exemplars" not in self._arrays:
            return ()
        clips = self._array("exemplars", 3, len(self.centres), None, len(self.manifest.skeleton.columns))
        return tuple(clip.astype(VALUES).tobytes() for clip in clips)

    def _read_names(self) -> dict[int, str]:
        if "centre_names" not in self._arrays:
            return {}
        indices = self._array("centre_names", 1, len(self.centres)).astype(int)
        if not ((indices >= -1) & (indices < len(ACTIONS))).all():
            raise ModelFolderError(f"centre_names: expected indices below {len(ACTIONS)} or -1, got {indices}")
        return {id: ACTIONS[index] for id, index in enumerate(indices.tolist(), 1) if index >= 0}

    def _array(self, name: str, dimensions: int, *shape: int | None) -> NDArray[Any]:
        if name not in self._arrays:
            raise ModelFolderError(f"expected the array {name}, got {', '.join(self._arrays)}")
        array = np.asarray(self._arrays[name], np.float64)
        wrong = any(want is not None and want != got for want, got in zip(shape, array.shape, strict=False))
        if array.ndim != dimensions or wrong or not np.isfinite(array).all():
            raise ModelFolderError(f"{name}: expected finite values of shape {shape or dimensions}, got {array.shape}")
        return array


def penalty_of(settings: Mapping[str, float]) -> Penalty:
    """What a segment costs. Raises ModelFolderError."""
    closed, young, adult, shortest, edge = (
        _setting(settings, name) for name in ("closed", "young", "adult", "shortest", "edge")
    )
    try:
        return Penalty(closed, young, int(adult), int(shortest), int(edge))
    except ValueError as error:
        raise ModelFolderError(f"settings: {error}") from error


def _positive(settings: Mapping[str, float], name: str) -> float:
    value = _setting(settings, name)
    if not value > 0:
        raise ModelFolderError(f"expected a {name} above 0, got {value:g}")
    return value


def _setting(settings: Mapping[str, float], name: str) -> float:
    if name not in settings:
        raise ModelFolderError(f"expected the setting {name}, got {', '.join(settings)}")
    return settings[name]
