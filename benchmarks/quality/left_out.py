"""Models that know nothing of one recording: fitted on the others by the shipped model's recipe, without its network.

Labels of a model whose decoder states weigh nothing are the same whatever its network says (tests/test_quality.py), so
none is trained, and no seed plays a part. `benchmarks.blind` trains the networks too and finds the same labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.manifest import Manifest, read_manifest
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import ModelBundle
from motionscribe_server.inference import WindowStates
from motionscribe_server.model import ServedModel
from motionscribe_server.window import Step
from motionscribe_training.dataset import find_recordings, make_dataset
from motionscribe_training.fit import fit
from motionscribe_training.motion import centred, evidence_of
from motionscribe_training.seq2seq import Seq2Seq
from motionscribe_training.slow_features import SLOW_S, Teacher, fit_teacher

Array = NDArray[np.float64]

SHIPPED = Path(__file__).parents[2] / "models" / "cmu-expmap" / "1"
HIDDEN, PROJECTED, STEPS = 65, 64, 1
"""Of a network that says nothing. As many projected values as the shipped one's: a ridge divides by their number."""
PLACES = ("sub86", "mocap6/amc")
SINGLES = "cmu_amc"


@dataclass(frozen=True)
class Fitted:
    """What was fitted without some recordings."""

    manifest: Manifest
    arrays: dict[str, NDArray[Any]]
    teacher: Teacher

    def served(self, latency_s: float = 1.0, *, cold: bool = False, **settings: float) -> ServedModel:
        """As a session serves it. `cold` is without the clusters of the other recordings."""
        moments = max(1, round(latency_s * self.manifest.rate_hz / self.manifest.stride))
        manifest = replace(
            self.manifest,
            latency=dict.fromkeys(self.manifest.latency, moments),
            settings={**self.manifest.settings, **settings},
        )
        arrays = {**self.arrays, "centres": self.arrays["centres"][:0]} if cold else self.arrays
        return ServedModel(ModelBundle(manifest, {}, arrays, {}))

    def centred(self, recording: Recording) -> Array:
        """(n, d): the embedding of each moment, with what came before it and what came after."""
        span = int(self.arrays["spans"].max())
        return self.teacher.embed(centred(self._features(recording), self.arrays["motion"], span, self.manifest.stride))

    def pose(self, recording: Recording) -> Array:
        """(n, F): features at the middle of each moment, divided by their scale."""
        features, stride = self._features(recording), self.manifest.stride
        middles = slice(stride // 2, len(features) // stride * stride, stride)
        return features[middles].astype(np.float64) / self.arrays["feature_scale"]

    def _features(self, recording: Recording) -> NDArray[np.float32]:
        feature_map = FeatureMap(recording.skeleton, self.manifest.feature_joints)
        return recording_features(feature_map, recording.frames, recording.timestamps_us, self.manifest.rate_hz)


def fit_without(data: Path, names: Sequence[str], places: Sequence[str] = PLACES) -> Fitted:
    """Fitted on all of `places` but the recordings `names`."""
    shipped = read_manifest(SHIPPED)
    several = [read_recording(p) for p in find_recordings([data / place for place in places]) if p.stem not in names]
    singles = [read_recording(path) for path in find_recordings([data / SINGLES])]
    dataset = make_dataset([*several, *singles], shipped.rate_hz)
    torch.manual_seed(0)
    network = Seq2Seq(dataset.feature_map.width, HIDDEN)
    mean, std = dataset.feature_map.normalisation(dataset.sequences)
    network.mean.copy_(torch.from_numpy(mean))
    network.std.copy_(torch.from_numpy(std))
    sequences = dataset.sequences[: len(several)]
    fitted = fit(
        network,
        dataset.sequences,
        sequences,
        window=shipped.window,
        stride=shipped.stride,
        steps=STEPS,
        projected=PROJECTED,
        rate_hz=shipped.rate_hz,
        seed=0,
    )
    motion, span = fitted.arrays["motion"], int(fitted.arrays["spans"].max())
    trails = []
    for x in sequences:
        silence = np.zeros((len(x) // shipped.stride, STEPS, PROJECTED))
        trails.append(evidence_of(x, silence, motion, [span], shipped.stride)[:, : 2 * motion.shape[2]])
    manifest = replace(
        shipped,
        feature_joints=dataset.feature_map.joints,
        features=dataset.feature_map.width,
        hidden=HIDDEN,
        projected=PROJECTED,
        decoder_steps=STEPS,
        latency=fitted.latency,
        settings=fitted.settings,
        variants={},
        files={},
    )
    return Fitted(manifest, fitted.arrays, fit_teacher(trails, round(SLOW_S * shipped.rate_hz / shipped.stride)))


class NoNetwork:
    """Stands where Inference does, and says nothing: all zeros, one answer for each complete window."""

    def __init__(self, manifest: Manifest) -> None:
        self._answer = WindowStates(
            np.zeros((manifest.decoder_steps, manifest.projected), np.float32),
            np.ones(manifest.decoder_steps, np.float32),
            np.zeros((manifest.decoder_steps, manifest.features), np.float32),
        )

    def new_state(self) -> NDArray[np.float32]:
        """Of no streams."""
        return np.zeros((0, 0), np.float32)

    def advance(self, states: Sequence[NDArray[np.float32]], steps: Sequence[Step]) -> list[WindowStates | None]:
        """As Inference.advance."""
        return [self._answer if step.decode_slot >= 0 else None for step in steps]
