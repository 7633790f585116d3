"""A moment, a stride of frames: what they and the window that ends with them say, before anything is labelled.

In: features of frames, then the states of the window that they complete. Out: Moment.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_server.session.anomaly.pose_model import PoseMemory
from motionscribe_server.session.anomaly.reference import Distances
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.arrivals import MomentSource
from motionscribe_server.session.embedding import Embedding
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.prediction_error import PredictionError
from motionscribe_server.session.span import Span
from motionscribe_server.session.steps import WindowStates


@dataclass(frozen=True, slots=True)
class Moment:
    """What is known of one moment, and what it tells of those before it."""

    span: Span
    """Its source frames."""
    sensed: Sensed
    """What their sensors said."""
    frames: NDArray[np.float32]
    """(n, F) features of its frames on the model's grid."""
    estimates: NDArray[np.float64]
    """(l, d) embeddings of the l newest moments, oldest first; all but the oldest will be estimated again."""
    inputs: Array
    """(D,) features of its newest frame, and how they changed (anomaly/pose_model.py)."""
    distances: Distances | None
    """From what the training recordings have shown, None for a model without alarms."""
    error: NDArray[np.float64] | None
    """(F,) mean squared errors of the predicted frames (prediction_error.py), None where none were predicted."""


class MomentBuilder:
    """Collects the frames of one stream's next moment."""

    def __init__(self, model: ServedModel) -> None:
        self._features = model.manifest.features
        self._embedding = Embedding(model)
        self._prediction_error = PredictionError(model.feature_scale, model.manifest.stride)
        self._reference = model.anomaly
        self._poses = PoseMemory()
        self._frames: list[NDArray[np.float32]] = []

    def __len__(self) -> int:
        """Frames since the last moment."""
        return len(self._frames)

    def add(self, features: NDArray[np.float32]) -> None:
        """One more frame (F,) on the grid."""
        self._frames.append(features)

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._embedding.restart()
        self._prediction_error.restart()
        self._poses.restart()
        self._frames = []

    @classmethod
    def build_many(
        cls, builders: Sequence["MomentBuilder"], sources: Sequence[MomentSource], windows: Sequence[WindowStates]
    ) -> list[Moment]:
        """The moments of builders with equally many frames, each with its source and the states of its window."""
        first: MomentBuilder = builders[0]
        taken = [cls._take(builder) for builder in builders]
        embeddings, prediction_errors, rows = zip(*taken, strict=True)
        frames = np.array(rows)  # (s, n, F)
        estimates = Embedding.estimate_many(embeddings, frames, np.array([w.projected for w in windows]))
        predictions = np.array([w.prediction for w in windows])
        errors = PredictionError.compare_many(prediction_errors, frames, predictions)
        inputs = np.stack([cls._remember(builder, own) for builder, own in zip(builders, frames, strict=True)])
        distances: Sequence[Distances | None] = [None] * len(builders)
        if first._reference is not None:
            distances = first._reference.distances_many(np.stack([own[-1] for own in estimates]), inputs)
        return [
            Moment(source.span, source.sensed, *parts)
            for source, *parts in zip(sources, frames, estimates, inputs, distances, errors, strict=True)
        ]

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "frames": np.array(self._frames, np.float32).reshape(-1, self._features),
            "embedding": self._embedding.state(),
            "prediction_error": self._prediction_error.state(),
            "poses": self._poses.state(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._frames = list(state["frames"])
        self._embedding.restore(state["embedding"])
        self._prediction_error.restore(state["prediction_error"])
        self._poses.restore(state["poses"])

    def _take(self) -> tuple[Embedding, PredictionError, list[NDArray[np.float32]]]:
        """The parts, and the frames, which the next moment will not have."""
        frames, self._frames = self._frames, []
        return self._embedding, self._prediction_error, frames

    def _remember(self, frames: NDArray[np.float32]) -> Array:
        """What the pose model looks at once these frames came."""
        return self._poses.add(frames)
