"""One recording through the server's own Session, and what somebody who watches it sees: labels, revisions, ids.

In: a served model and an annotated recording. Out: Watched. Frame labels are scored by
motionscribe_training.evaluation.metrics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

from benchmarks.provisional import Told, count_revisions, told
from benchmarks.quality.state_metrics import state_metrics
from motionscribe_models.recordings import Recording
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.session import Session
from motionscribe_training.data.annotations import Annotation
from motionscribe_training.evaluation.evaluate import Replayed, embed, gather_labels, score_replayed
from motionscribe_training.evaluation.metrics import Labels, runs, scored_frames
from motionscribe_training.evaluation.table import numbers

Labelled = tuple[Recording, Annotation]


@dataclass(frozen=True)
class Watched:
    """One replay."""

    final: dict[str, float]
    """Metrics of the final labels, and `revisions_per_boundary`, `id_persistence`."""
    first: dict[str, float]
    """Metrics of the labels as first shown: latency 0."""
    stability: Told


def watch(model: ServedModel, inference: Inference, labelled: Labelled) -> Watched:
    """Final labels come after the model's latency, which is that of every preset."""
    recording, annotation = labelled
    options = SessionOptions(rate_hz=recording.skeleton.rate_hz)
    session = Session(model, options)
    emitted = replay(model, inference, recording, options, session)
    replayed = gather_labels(emitted, recording, annotation, options.lag)
    truth = annotation.fitted(len(recording.frames))
    revisions = count_revisions(emitted, len(recording.frames))
    times, points = embed(model, inference, recording)
    final = {
        **measures(replayed),
        "revisions_per_boundary": revisions / max(1, len(truth.boundaries)),
        "id_persistence": persistence(session, replayed.final, recording.timestamps_us, times, points),
    }
    return Watched(final, measures(replayed, "first"), told(emitted, replayed.final))


def persistence(
    session: Session, final: Labels, frame_us: Labels, moment_us: Labels, points: NDArray[np.float64]
) -> float:
    """Adjusted Rand index of the labels as they were streamed against those that the clusters at the end give.

    Each streamed segment is labelled anew with the nearest cluster by the mean of its settled embedding.
    """
    learnt = [state for state in session.clusters() if state.segments and state.weight]
    if not learnt:
        return 0.0
    ids = np.array([state.merged_into or state.id for state in learnt])
    centres = np.array([state.centre for state in learnt])
    streamed = final[np.searchsorted(frame_us, moment_us)]
    again = streamed.copy()
    for start, end, _ in runs(streamed):
        distance = np.linalg.norm(centres - points[start:end].mean(axis=0), axis=1)
        again[start:end] = ids[distance.argmin()]
    return float(adjusted_rand_score(streamed, again))


def score_moments(labelled: Labelled, labels: Labels, moment_s: float) -> dict[str, float]:
    """Metrics of labels (n,) of moments, told at once; what is left at the end goes on like the last."""
    recording, annotation = labelled
    times = recording.timestamps_us
    moment = np.minimum(((times - times[0]) / 1e6 / moment_s).astype(int), len(labels) - 1)
    frames = labels[moment].astype(np.int64)
    replayed = Replayed(recording, annotation, "balanced", frames, times, frames, times, {})
    return measures(replayed)


def measures(replayed: Replayed, labels: str = "final") -> dict[str, float]:
    """All metrics of the "final" labels, or of those "first" shown."""
    assert replayed.annotation is not None
    times = replayed.recording.timestamps_us
    truth = replayed.annotation.fitted(len(times)).labels(len(times))
    told = replayed.final if labels == "final" else replayed.first
    scored = scored_frames(times)
    scored = scored[truth[scored] >= 0]
    return {**numbers(score_replayed(replayed, labels)), **state_metrics(truth[scored], told[scored])}
