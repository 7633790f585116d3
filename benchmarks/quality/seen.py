"""What peers are shown of a recording: its frames, its moments as our labeller sees them, and what is given to some.

In: a model that has not seen the recording, and the recording with its annotation. Out: Seen.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.left_out import LeftOut
from benchmarks.quality.watch import Labelled
from motionscribe_models.features import recording_features
from motionscribe_models.recordings import Recording
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import Moment, ServedModel, Session, SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_training.evaluation.evaluate import embed

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Seen:
    """One recording: n moments of `stride` frames each, m frames in all."""

    frames: Array
    """(m, F) features at the model's rate, divided by the scale that a network of this recording would have."""
    pose: Array
    """(n, F) features at the middle of each moment, divided by the standard deviation of each in training."""
    embedding: Array
    """(n, d) settled, as a live labeller knows it 0.6 s after each moment."""
    centred: Array
    """(n, d) as known when all of the recording is."""
    error: Array
    """(n,) how wrong the network was about each moment (`surprise`)."""
    stride: int
    radius: float
    moment_s: float
    classes: int
    """True number of actions, for rows that are given it."""
    segments: int
    """True number of segments, likewise."""


def see(model: LeftOut, labelled: Labelled) -> Seen:
    """With the model's own settings."""
    recording, annotation = labelled
    served, inference, manifest = ServedModel(model.bundle), model.inference(), model.bundle.manifest
    _, settled = embed(served, inference, recording)
    features = recording_features(served.feature_map, recording.frames, recording.timestamps_us, manifest.rate_hz)
    return Seen(
        frames=features / served.feature_map.normalisation([features])[1],
        pose=model.pose(recording),
        embedding=settled,
        centred=model.centred([recording])[0],
        error=surprise(served, inference, recording),
        stride=manifest.stride,
        radius=served.radius,
        moment_s=served.moment_s,
        classes=len(annotation.names),
        segments=len(annotation.fitted(len(recording.frames)).segments),
    )


def surprise(model: ServedModel, inference: Inference, recording: Recording) -> Array:
    """(n,): how badly each moment's frames were predicted by the window before, as a session knows it afterwards.

    Mean squared error, in units of each feature's variance; 0 for the first moment, which nothing predicted.
    """
    moments: list[Moment] = []
    session = Session(model, SessionOptions(rate_hz=recording.skeleton.rate_hz), on_moment=moments.append)
    replay(model, inference, recording, session=session)
    return np.array([0.0 if moment.error is None else float(moment.error.mean()) for moment in moments])
