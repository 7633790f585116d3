"""`motionscribe-train evaluate`: labelled recordings through the server's own Session, and how good its labels are.

In: a model folder and recordings that have an annotation. Out: a Row per recording and lag, a table of them or JSON,
and pictures and films where asked for. Each recording is a new stream that begins with the model's clusters. Metrics
are those of metrics.py; nothing is learnt or tuned here.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from motionscribe_models.manifest import read_manifest, write_manifest
from motionscribe_models.recordings import Recording, endings, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Label, SegmentEnded
from motionscribe_server.engine.inference import Choice, Inference
from motionscribe_server.session.embedding import Embedding, estimate
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import Lag, SessionOptions
from motionscribe_server.session.replay import Emitted, blocks_of, replay
from motionscribe_server.session.session import Session, steps_of
from motionscribe_training.data.annotations import Annotation, find_annotation
from motionscribe_training.data.dataset import find_recordings
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.metrics import Labels, Score, score, scored_frames
from motionscribe_training.evaluation.pictures import Ethogram, ethogram, save_ethogram
from motionscribe_training.evaluation.table import Row, manifest_metrics, mean_rows, numbers, table
from motionscribe_training.evaluation.video import check_video, save_video, scene_of

LAGS: tuple[Lag, ...] = get_args(Lag)


@dataclass(frozen=True, eq=False)
class Replayed:
    """What a stream was told about each frame of a recording; arrays (n,) by frame."""

    recording: Recording
    annotation: Annotation | None
    lag: Lag
    final: Labels
    """Cluster of the final label, -1 where there was none."""
    final_us: Labels
    """Source time at which it left."""
    first: Labels
    """Cluster of the first label of any kind, as somebody who watches live sees it."""
    first_us: Labels
    names: dict[int, str]
    """Clusters that have a name."""


def replay_recording(
    model: ServedModel, inference: Inference, recording: Recording, annotation: Annotation | None, lag: Lag
) -> Replayed:
    """A recording as a new stream. Raises TrainingError for a layout that is not the model's."""
    wanted = model.manifest.skeleton
    if recording.skeleton.width != wanted.width:
        raise TrainingError(
            f"{recording.name}: expected frames of {wanted.width} columns ({wanted.name}), "
            f"got {recording.skeleton.width} ({recording.skeleton.name})"
        )
    options = SessionOptions(lag=lag, rate_hz=recording.skeleton.rate_hz)
    return gather_labels(replay(model, inference, recording, options), recording, annotation, lag)


def gather_labels(
    emitted: Sequence[Emitted], recording: Recording, annotation: Annotation | None, lag: Lag
) -> Replayed:
    """Events of one stream, frame by frame. Cluster 0, which says that a stream was too short to know, is no label."""
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
    """Score at 30 Hz of the "final" labels, or of those "first" shown.

    Raises TrainingError without an annotation, RecordingError for one of a longer recording.
    """
    if replayed.annotation is None:
        raise TrainingError(f"{replayed.recording.name}: expected an annotation to score against")
    times = replayed.recording.timestamps_us
    truth, boundaries = _truth(replayed)
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
    """Rows of all recordings under all `lags`; with `first`, also of the labels as first shown.

    `seen` gets each replay as it is done, for pictures. Raises TrainingError, RecordingError, LayoutError.
    """
    rows: list[Row] = []
    jobs = [(lag, recording, annotation) for lag in lags for recording, annotation in labelled]
    for lag, recording, annotation in tqdm(jobs, unit="recording", disable=None):  # None: shown on a terminal only
        replayed = replay_recording(model, inference, recording, annotation, lag)
        for labels in ("final", "first") if first else ("final",):
            rows.append(Row(recording.name, lag, labels, score_replayed(replayed, labels)))
        seen(replayed)
    return rows


def bars_of(replayed: Replayed) -> Ethogram:
    """Truth, final labels and labels as first shown, as pictures.py draws them."""
    predicted = {"final": replayed.final, "as first shown": replayed.first}
    times = replayed.recording.timestamps_us
    if replayed.annotation is None:
        return ethogram(times, predicted, cluster_names=replayed.names)
    truth, boundaries = _truth(replayed)
    return ethogram(times, predicted, truth, replayed.annotation.names, boundaries, replayed.names)


def save_picture(path: Path, replayed: Replayed, model: ServedModel) -> None:
    """Predicted against true segments, as PNG."""
    manifest = model.manifest
    title = f"{replayed.recording.name}: {manifest.name} {manifest.version}, {replayed.lag}"
    if replayed.annotation is not None:
        title += f", accuracy {score_replayed(replayed).accuracy:.2f}"
    save_ethogram(path, bars_of(replayed), title)


def save_film(
    path: Path, replayed: Replayed, model: ServedModel, inference: Inference, seconds: float | None = None
) -> int:
    """Skeleton, embedding and labels, side by side, as `.mp4` or `.gif`; returns the number of pictures.

    Raises VideoError, and LayoutError for a skeleton whose joints have no place.
    """
    moments_us, embedding = embed(model, inference, replayed.recording)
    scene = scene_of(replayed.recording, moments_us, embedding, replayed.final, bars_of(replayed))
    return save_video(path, scene, seconds)


def embed(model: ServedModel, inference: Inference, recording: Recording) -> tuple[Labels, NDArray[np.float64]]:
    """Times (m,) of the newest frame of each moment, and its settled embedding (m, d)."""
    session = Session(model, SessionOptions(rate_hz=recording.skeleton.rate_hz))
    state, embedding = inference.new_state(), Embedding(model)
    times: list[int] = []
    points: list[NDArray[np.float64]] = []
    frames: list[NDArray[np.float32]] = []
    for block in blocks_of(recording, 1):
        session.receive_frames(block)
        for step in steps_of([session])[0]:
            if step.restart:
                embedding.restart()
                frames = []
            frames.append(step.features)
            (states,) = inference.advance([state], [[step]])
            if states is not None:
                times.append(int(block.timestamps_us[0]))
                (estimates,) = estimate([embedding], np.array([frames]), states.projected[None])
                frames = []
                points = [*points[: len(points) + 1 - len(estimates)], *estimates]
    return np.array(times, np.int64), np.array(points).reshape(len(times), model.dimensions)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `motionscribe-train evaluate`; `main` takes what they give."""
    parser.set_defaults(command=main)
    parser.add_argument("model", type=Path, metavar="MODEL", help="model folder, as models/cmu-expmap/1")
    places = f"labelled recordings ({' '.join(endings())}), or folders of them"
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help=places)
    parser.add_argument(
        "--lag", nargs="+", choices=LAGS, default=["balanced"], help="how long the server waits before a label is final"
    )
    parser.add_argument("--first", action="store_true", help="also score the labels as they were first shown")
    parser.add_argument("--variant", choices=get_args(Choice), default="auto", help="precision of the network")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--save", action="store_true", help="write the means into the model's manifest")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="predicted against true segments, as .png")
    parser.add_argument("--video", type=Path, metavar="FILE", help="skeleton, embedding and labels, as .mp4 or .gif")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of the film (all of the recording)")


def main(options: argparse.Namespace) -> None:
    """Prints the table. Raises ContractError, TrainingError."""
    if options.video:
        check_video(options.video)  # before minutes of replaying
    labelled = labelled_recordings(options.places)
    bundle = read_bundle(options.model)
    model, inference = ServedModel(bundle), Inference(bundle, options.variant, (1,))
    several = len(labelled) > 1 or len(options.lag) > 1

    def draw(replayed: Replayed) -> None:
        name = f"-{replayed.recording.name}-{replayed.lag}" if several else ""
        for path in (options.picture, options.video):
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
        if options.picture:
            save_picture(options.picture.with_stem(options.picture.stem + name), replayed, model)
        if options.video:
            save_film(options.video.with_stem(options.video.stem + name), replayed, model, inference, options.seconds)

    rows = evaluate(model, inference, labelled, options.lag, options.first, draw)
    if options.save:
        save_metrics(options.model, rows)
    print(as_json(rows, model, inference) if options.json else table(rows))


def labelled_recordings(places: Sequence[Path]) -> list[tuple[Recording, Annotation]]:
    """Recordings that have an annotation; the others are named on standard error. Raises TrainingError for none."""
    labelled: list[tuple[Recording, Annotation]] = []
    for path in find_recordings(places):
        annotation = find_annotation(path)
        if annotation is None:
            print(f"{path}: no annotation, left out", file=sys.stderr)
        else:
            labelled.append((read_recording(path), annotation))
    if not labelled:
        raise TrainingError(f"expected recordings with an annotation, got none in {', '.join(map(str, places))}")
    return labelled


def as_json(rows: Sequence[Row], model: ServedModel, inference: Inference) -> str:
    """Model, rows and means; metrics that are not defined are left out."""

    def plain(row: Row) -> dict[str, Any]:
        return {"recording": row.recording, "lag": row.lag, "labels": row.labels, **numbers(row.score)}

    manifest = model.manifest
    about = {"name": manifest.name, "version": manifest.version, "variant": inference.variant}
    return json.dumps(
        {"model": about, "rows": [plain(row) for row in rows], "means": [plain(row) for row in mean_rows(rows)]},
        indent=1,
    )


def save_metrics(folder: Path, rows: Sequence[Row]) -> None:
    """Writes the means, and what they are means of, into the manifest of a model folder that was verified."""
    manifest = read_manifest(folder)
    evaluated = list(dict.fromkeys(row.recording for row in rows))
    write_manifest(
        folder,
        replace(
            manifest,
            metrics={**manifest.metrics, **manifest_metrics(rows)},
            training={**manifest.training, "evaluated_on": evaluated},
        ),
    )


def _truth(replayed: Replayed) -> tuple[Labels, Labels]:
    """(n,) class of each frame, -1 where nothing is said, and (b, 3) times of the boundaries."""
    assert replayed.annotation is not None
    times = replayed.recording.timestamps_us
    annotation = replayed.annotation.fitted(len(times))
    frames = np.array(annotation.boundaries, np.int64).reshape(-1, 3).clip(0, len(times) - 1)
    return annotation.labels(len(times)), times[frames]
