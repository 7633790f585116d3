"""Models that know nothing of the recording that they label, and the embedding of a recording that lies open.

Of CMU subject 86 one for each trial, made of the other trials and mocap6; for mocap6 one made of subject 86.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.blind.folds import recordings_without, train_without
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import ModelBundle, read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.steps import step_of
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.fit import parts_of
from motionscribe_training.fitting.motion import evidence_of
from motionscribe_training.fitting.slow_features import DIMENSIONS, Part, fit_teachers

Array = NDArray[np.float64]

MODELS = Path("runs/blind")
SEEDS = (0, 1, 2)
Without = Literal["", "clusters", "states"]
"""What a model does without: the clusters of other recordings, or the decoder states."""


@dataclass(frozen=True)
class LeftOut:
    """A model, and where what it was made of lies."""

    bundle: ModelBundle
    data: Path
    fold: tuple[str, ...]
    """What it was made without."""

    def served(self, latency_s: float, settings: dict[str, float], without: Without = "") -> ServedModel:
        """With other settings, and `without` a part of it."""
        manifest = self.bundle.manifest
        moments = max(1, round(latency_s * manifest.rate_hz / manifest.stride))
        changed = replace(
            manifest,
            latency=dict.fromkeys(manifest.latency, moments),
            settings={**manifest.settings, **settings},
        )
        arrays = dict(self.bundle.arrays)
        if without == "clusters":
            arrays["centres"] = arrays["centres"][:0]
        if without == "states":
            *motion, _ = self._parts()
            rest = np.linalg.norm([part.weight for part in motion])
            for name in ("students", "embedding_mean", "centres"):
                arrays[name] = arrays[name][..., : len(motion) * DIMENSIONS] / np.float32(rest)
        return ServedModel(replace(self.bundle, manifest=changed, arrays=arrays))

    def inference(self) -> Inference:
        """Its network."""
        return Inference(self.bundle, "auto", (1,))

    def centred(self, recordings: Sequence[Recording], without: Without = "") -> list[Array]:
        """(n, d) for each: the embedding of all moments, with what came before and what came after."""
        others = [read_recording(path) for path in recordings_without(self.fold, self.data)]
        evidence = [self._evidence(other) for other in others]
        slow = Durations(self.bundle.manifest.stride / self.bundle.manifest.rate_hz, {})["slow"]
        teachers = fit_teachers([x for x in evidence if len(x) > 2 * slow], self._parts(), slow)
        whole = [teachers.embed(self._evidence(recording)) for recording in recordings]
        if without == "states":
            *motion, _ = teachers.parts
            rest = np.linalg.norm([part.weight for part in motion])
            return [x[:, : len(motion) * DIMENSIONS] / rest for x in whole]
        return whole

    def pose(self, recording: Recording) -> Array:
        """(n, F): features at the middle of each moment, divided by their scale."""
        features, stride = self._features(recording), self.bundle.manifest.stride
        middles = slice(stride // 2, len(features) // stride * stride, stride)
        return features[middles].astype(np.float64) / self.bundle.arrays["feature_scale"]

    def _parts(self) -> list[Part]:
        manifest, arrays = self.bundle.manifest, self.bundle.arrays
        spans, motion = arrays["spans"].tolist(), 2 * arrays["motion"].shape[2]
        return parts_of(spans, manifest.stride, motion, 2 * manifest.projected)

    def _evidence(self, recording: Recording) -> Array:
        manifest, arrays, inference = self.bundle.manifest, self.bundle.arrays, self.inference()
        features, state, projected = self._features(recording), inference.new_state(), []
        for index, frame in enumerate(features):
            (states,) = inference.advance([state], [[step_of(frame, index, manifest.forgets_after, manifest.stride)]])
            if states is not None:
                projected.append(states.projected)
        motion = arrays["motion"].astype(np.float64)
        return evidence_of(features, np.array(projected), motion, arrays["spans"].tolist(), manifest.stride)

    def _features(self, recording: Recording) -> NDArray[np.float32]:
        manifest = self.bundle.manifest
        feature_map = FeatureMap(recording.skeleton, manifest.feature_joints)
        return recording_features(feature_map, recording.frames, recording.timestamps_us, manifest.rate_hz)


def left_out(data: Path, name: str, seed: int = 0) -> LeftOut:
    """The model for the recording `name`; trained if it is not there."""
    fold = ("mocap6",) if (data / "mocap6" / "amc" / f"{name}.amc").exists() else (name,)
    return LeftOut(read_bundle(train_without(fold, data, MODELS, seed)), data, fold)
