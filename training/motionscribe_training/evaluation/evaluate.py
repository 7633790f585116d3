"""Runs labelled recordings through the server's own Session and scores its labels.

In: a model and recordings that have an annotation. Out: a Row per recording and lag, and pictures and films. Each
recording is a new stream that begins with the model's clusters. metrics.py defines the metrics, command.py the command;
nothing is learnt or tuned here.
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from motionscribe_models.body.mapping import mapped
from motionscribe_models.body.skeleton import BODY, BODY2D
from motionscribe_models.lags import Lag
from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Label, SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import Moment, ServedModel, Session, SessionOptions
from motionscribe_server.session.replay import Emitted, replay
from motionscribe_training.data.annotations import Annotation, find_annotation
from motionscribe_training.data.dataset import find_recordings, read_aloud
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.metrics import Labels, Score, score, scored_frames
from motionscribe_training.evaluation.pictures import Ethogram, ethogram, save_ethogram
from motionscribe_training.evaluation.table import Row
from motionscribe_training.evaluation.video import save_video, scene_of


class EmbeddingPath:
    """The settled embedding of each moment of a replay, gathered as a session's moments come."""

    def __init__(self) -> None:
        self._ends: list[int] = []  # seq after the moment's last frame
        self._points: list[NDArray[np.float64]] = []

    def add(self, moment: Moment) -> None:
        """The next moment, which estimates those before it anew."""
        self._ends.append(moment.span.end_seq)
        self._points[len(self._ends) - len(moment.estimates) :] = moment.estimates.copy()

    def of(self, recording: Recording) -> tuple[Labels, NDArray[np.float64]]:
        """Times (m,) of the newest frame of each moment, and its embedding (m, d)."""
        return recording.timestamps_us[np.array(self._ends) - 2], np.array(self._points)


@dataclass(frozen=True, eq=False)
class Replayed:
    """The labels that a stream sent for each frame of a recording; arrays (n,) by frame."""

    recording: Recording
    annotation: Annotation | None
    lag: Lag
    final: Labels
    """Cluster of the final label, -1 where there was none."""
    final_us: Labels
    """Source time at which that label was sent."""
    first: Labels
    """Cluster of the first label of any kind, as a live viewer sees it."""
    first_us: Labels
    names: dict[int, str]
    """Cluster -> its name, of those that have one."""
    path: EmbeddingPath = field(default_factory=EmbeddingPath)


def replay_recording(
    model: ServedModel, inference: Inference, recording: Recording, annotation: Annotation | None, lag: Lag
) -> Replayed:
    """Sends a recording through a new stream. Raises TrainingError for a layout that is not the model's."""
    recording = in_layout_of(model, recording)
    options = SessionOptions(lag=lag, rate_hz=recording.skeleton.rate_hz)
    path = EmbeddingPath()
    emitted = replay(model, inference, recording, options, Session(model, options, on_moment=path.add))
    return replace(gather_labels(emitted, recording, annotation, lag), path=path)


def in_layout_of(model: ServedModel, recording: Recording) -> Recording:
    """The recording as a stream of the model has it: mapped, where the model is of bodies. Raises TrainingError."""
    wanted = model.manifest.skeleton
    bodies = BODY.representation, BODY2D.representation
    if wanted.representation in bodies and recording.skeleton.representation not in bodies:
        recording = mapped(recording)
    if recording.skeleton.width != wanted.width:
        raise TrainingError(
            f"{recording.name}: expected frames of {wanted.width} columns ({wanted.name}), "
            f"got {recording.skeleton.width} ({recording.skeleton.name})"
        )
    if recording.skeleton.joints != wanted.joints:
        raise TrainingError(
            f"{recording.name}: expected the joints {shortened(wanted.joints)} of {wanted.name}, "
            f"got {shortened(recording.skeleton.joints)} of {recording.skeleton.name}"
        )
    return recording


def shortened(names: Sequence[str], most: int = 8) -> str:
    """The first of some names."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def gather_labels(
    emitted: Sequence[Emitted], recording: Recording, annotation: Annotation | None, lag: Lag
) -> Replayed:
    """The labels in one stream's events, by frame. Cluster 0 means that a stream was too short, and is no label."""
    frames = len(recording.frames)
    final, first = np.full(frames, -1, np.int64), np.full(frames, -1, np.int64)
    final_us, first_us = np.zeros(frames, np.int64), np.zeros(frames, np.int64)
    names: dict[int, str] = {}
    for came in emitted:
        match came.event:
            case Label(cluster=cluster) as label if cluster > 0:
                spoken = np.arange(label.start_seq - 1, label.end_seq - 1)
                fresh = spoken[first[spoken] < 0]
                first[fresh], first_us[fresh] = cluster, came.time_us
                if label.final:
                    final[spoken], final_us[spoken] = cluster, came.time_us
            case SegmentEnded(cluster=cluster, name=name) if name:
                names[cluster] = name
            case _:
                pass
    return Replayed(recording, annotation, lag, final, final_us, first, first_us, names)


def score_replayed(replayed: Replayed, labels: str = "final") -> Score:
    """The score at 30 Hz of the "final" labels, or of those "first" shown.

    Raises TrainingError without an annotation, RecordingError for one of a longer recording.
    """
    if replayed.annotation is None:
        raise TrainingError(f"{replayed.recording.name}: expected an annotation to score against")
    times = replayed.recording.timestamps_us
    truth, boundaries = _truth(replayed.annotation, times)
    scored = scored_frames(times)
    scored = scored[truth[scored] >= 0]
    predicted, emitted = (
        (replayed.final, replayed.final_us) if labels == "final" else (replayed.first, replayed.first_us)
    )
    return score(
        truth[scored], predicted[scored], times[scored], emitted[scored], boundaries, replayed.annotation.tolerant
    )


def evaluate(
    model: ServedModel,
    inference: Inference,
    labelled: Sequence[tuple[Recording, Annotation]],
    lags: Sequence[Lag] = ("balanced",),
    first: bool = False,
    seen: Callable[[Replayed], None] = lambda replayed: None,
) -> list[Row]:
    """One row for each recording and lag; with `first`, another for the labels as first shown.

    `seen` is called with each finished replay, for pictures. Raises TrainingError, RecordingError, LayoutError.
    """
    rows: list[Row] = []
    jobs = [(lag, recording, annotation) for lag in lags for recording, annotation in labelled]
    for lag, recording, annotation in tqdm(jobs, unit="recording", disable=None):  # None: shown on a terminal only
        replayed = replay_recording(model, inference, recording, annotation, lag)
        shown = ("final", "first") if first else ("final",)
        rows += [Row(recording.name, lag, labels, score_replayed(replayed, labels)) for labels in shown]
        seen(replayed)
    return rows


def bars_of(replayed: Replayed) -> Ethogram:
    """Truth, final labels and labels as first shown, in the form that pictures.py draws."""
    predicted = {"final": replayed.final, "as first shown": replayed.first}
    times = replayed.recording.timestamps_us
    if replayed.annotation is None:
        return ethogram(times, predicted, cluster_names=replayed.names)
    truth, boundaries = _truth(replayed.annotation, times)
    return ethogram(times, predicted, truth, replayed.annotation.names, boundaries, replayed.names)


def save_picture(path: Path, replayed: Replayed, model: ServedModel) -> None:
    """Writes a PNG of predicted against true segments."""
    manifest = model.manifest
    title = f"{replayed.recording.name}: {manifest.name} {manifest.version}, {replayed.lag}"
    if replayed.annotation is not None:
        title += f", accuracy {score_replayed(replayed).accuracy:.2f}"
    save_ethogram(path, bars_of(replayed), title)


def save_film(path: Path, replayed: Replayed, seconds: float | None = None) -> int:
    """Writes skeleton, embedding and labels, side by side, as `.mp4` or `.gif`; returns the number of pictures.

    Raises VideoError, and LayoutError for a skeleton whose joints have no place.
    """
    scene = scene_of(replayed.recording, *replayed.path.of(replayed.recording), replayed.final, bars_of(replayed))
    return save_video(path, scene, seconds)


def embed(model: ServedModel, inference: Inference, recording: Recording) -> tuple[Labels, NDArray[np.float64]]:
    """Times (m,) of the newest frame of each moment, and its settled embedding (m, d)."""
    return replay_recording(model, inference, recording, None, "balanced").path.of(recording)


def labelled_recordings(places: Sequence[Path]) -> list[tuple[Recording, Annotation]]:
    """The recordings that have an annotation; standard error lists the others. Raises TrainingError for none."""
    labelled: list[tuple[Recording, Annotation]] = []
    for path in find_recordings(places):
        annotation = find_annotation(path)
        if annotation is None:
            print(f"{path}: no annotation, left out", file=sys.stderr)
        else:
            labelled.append((read_aloud(path), annotation))
    if not labelled:
        raise TrainingError(f"expected recordings with an annotation, got none in {', '.join(map(str, places))}")
    return labelled


def _truth(annotation: Annotation, times_us: Labels) -> tuple[Labels, Labels]:
    """(n,) class of each frame, -1 where nothing is annotated, and (b, 3) times of the boundaries."""
    fitted = annotation.fitted(len(times_us))
    frames = np.array(fitted.boundaries, np.int64).reshape(-1, 3).clip(0, len(times_us) - 1)
    return fitted.labels(len(times_us)), times_us[frames]
