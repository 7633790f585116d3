"""Models that know nothing of the recording that they label, and the embedding that needs no network.

Of CMU subject 86 those of benchmarks.blind: each trained without half of the trials. Of mocap6 one trained without it.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.blind.folds import FOLDS, recordings_without, train_without
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import ModelBundle, read_bundle
from motionscribe_server.inference import Inference
from motionscribe_server.model import ServedModel
from motionscribe_training.motion import centred, evidence_of
from motionscribe_training.slow_features import SLOW_S, fit_teacher

Array = NDArray[np.float64]

MODELS = Path("runs/blind")


@dataclass(frozen=True)
class LeftOut:
    """A model, and where what it was made of lies."""

    bundle: ModelBundle
    data: Path
    fold: tuple[str, ...]
    """What it was made without."""

    def served(self, latency_s: float, settings: dict[str, float], cold: bool = False) -> ServedModel:
        """With other settings. `cold` is without the clusters of the other recordings."""
        manifest = self.bundle.manifest
        moments = max(1, round(latency_s * manifest.rate_hz / manifest.stride))
        changed = replace(
            manifest,
            latency=dict.fromkeys(manifest.latency, moments),
            settings={**manifest.settings, **settings},
        )
        arrays = dict(self.bundle.arrays)
        if cold:
            arrays["centres"] = arrays["centres"][:0]
        return ServedModel(replace(self.bundle, manifest=changed, arrays=arrays))

    def inference(self) -> Inference:
        """Its network."""
        return Inference(self.bundle, "auto", (1,))

    def centred(self, recording: Recording) -> Array:
        """(n, d): the embedding of each moment with what came before and what came after; of motion alone."""
        model, features = ServedModel(self.bundle), self._features(recording)
        stride, span = model.manifest.stride, max(model.spans)
        trails = []
        for path in recordings_without(self.fold, self.data):
            other = self._features(read_recording(path))
            silence = np.zeros((len(other) // stride, 1, 1))
            trails.append(evidence_of(other, silence, model.motion, [span], stride)[:, : 2 * model.motion.shape[2]])
        slow = round(SLOW_S / model.moment_s)
        teacher = fit_teacher([x for x in trails if len(x) > 2 * slow], slow)
        return teacher.embed(centred(features, model.motion, span, stride))

    def pose(self, recording: Recording) -> Array:
        """(n, F): features at the middle of each moment, divided by their scale."""
        features, stride = self._features(recording), self.bundle.manifest.stride
        middles = slice(stride // 2, len(features) // stride * stride, stride)
        return features[middles].astype(np.float64) / self.bundle.arrays["feature_scale"]

    def _features(self, recording: Recording) -> NDArray[np.float32]:
        manifest = self.bundle.manifest
        feature_map = FeatureMap(recording.skeleton, manifest.feature_joints)
        return recording_features(feature_map, recording.frames, recording.timestamps_us, manifest.rate_hz)


def left_out(data: Path, name: str) -> LeftOut:
    """The model for the recording `name`; trained if it is not there."""
    fold = next((fold for fold in FOLDS if name in fold), ("mocap6",))
    return LeftOut(read_bundle(train_without(fold, data, MODELS)), data, fold)
