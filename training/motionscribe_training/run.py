"""`motionscribe-train run`: recordings in, a model folder out; with --model, recordings through an existing model.

This file calls the steps in order and passes results from one to the next; each step has a file of its own. Name,
version, sizes and places are checked before training, which may take an hour.
"""

import shlex
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from motionscribe_models.body.mapping import mapped
from motionscribe_models.manifest import Manifest
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_training.data.actions import concatenate_actions
from motionscribe_training.data.annotations import Annotation, find_annotation
from motionscribe_training.data.copies import copies_of
from motionscribe_training.data.dataset import Dataset, find_recordings, find_trials, make_dataset, read_aloud
from motionscribe_training.data.degrade import with_degraded
from motionscribe_training.data.views import seen_from_anywhere, views_of
from motionscribe_training.data.windows import Windows
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.command import check_files
from motionscribe_training.evaluation.evaluate import replay_recording, save_film, save_picture, score_replayed
from motionscribe_training.evaluation.table import Row, table
from motionscribe_training.exporting.export import export
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.fit import fit
from motionscribe_training.fitting.sensed import sensed_in
from motionscribe_training.network.options import TrainOptions
from motionscribe_training.network.overtraining import WARNING, overtrained
from motionscribe_training.network.states import frames_to_forget
from motionscribe_training.network.train import train
from motionscribe_training.network.trainer import TrainResult
from motionscribe_training.threads import limit_threads

RATE_HZ = 30.0
"""Frames a second that tell motions of people apart."""
STRIDE, MOMENT_S = 5, 1 / 6
"""Frames of a moment, and how long it is at that rate. A feed that is slower has moments of fewer frames."""
REFERENCES, REFERENCE_WINDOWS = 4, 4
"""Pieces of real motion that every server replays against the exported graphs, and how many windows long they are: an
error that adds up in a state that runs on shows."""
STEPS = 4
"""Frames that the network predicts where a moment is not longer: more of them cost time and gain nothing."""
REMEMBERS_S = 10.0
"""A network that remembers for longer is not measured."""

Truth = Annotation | None


def run(options: Namespace) -> None:
    """Runs the command with the options that the parser of __main__.py read."""
    check_files(options)
    pairs = gather(options)
    with limit_threads(options.threads):
        folder = options.model or make_model(options, [recording for recording, _ in pairs])
        if options.body2d:
            rng = np.random.default_rng(options.seed)
            pairs = [(seen_from_anywhere(recording, rng), truth) for recording, truth in pairs]
        show(options, folder, pairs)


def gather(options: Namespace) -> list[tuple[Recording, Truth]]:
    """Reads the recordings that the options name, each with its annotation where there is one."""
    data: Path = options.data
    if options.actions or options.num_actions or options.total_num_actions:
        if options.trial or len(options.places) > 1:
            raise TrainingError("expected --actions with at most one folder of clips, and without --trial")
        folder = options.places[0] if options.places else data / "cmu8"
        return [
            concatenate_actions(folder, options.actions, options.num_actions, options.total_num_actions, options.seed)
        ]
    paths = [*find_recordings(options.places), *find_trials(data, options.trial)]
    if not paths:
        raise TrainingError("expected recordings or folders, --trial or --actions; got nothing to learn from")
    return [(read(path, options), find_annotation(path)) for path in paths]


def read(path: Path, options: Namespace) -> Recording:
    """A recording, as one of the canonical body where that is wanted. Raises RecordingError, LayoutError."""
    recording = read_aloud(path)
    return mapped(recording) if options.body or options.body2d else recording


def make_model(options: Namespace, multi_action: Sequence[Recording]) -> Path:
    """Trains, fits and exports; returns the new model folder `<out>/<name>/<version>`.

    The embedding is fitted on `multi_action`, recordings in which actions change; those of --single-action teach the
    network only.
    """
    singles = [read(path, options) for path in find_recordings(options.single_action)]
    motions = len(multi_action)
    if options.body or options.body2d:
        rng, copy = np.random.default_rng(options.seed), views_of if options.body2d else with_degraded
        multi_action, singles = copy(multi_action, rng), copy(singles, rng)
    recordings = [*multi_action, *singles]
    slowest = slowest_rate(recordings)
    if options.rate and options.rate > slowest:
        raise TrainingError(
            f"expected a rate of the network of at most {slowest:g} Hz, that of the slowest recording, "
            f"got {options.rate:g}"
        )
    version = options.version or next_version(options.out / options.name)
    folder: Path = options.out / options.name / version
    if folder.exists():
        raise TrainingError(
            f"expected a new version of {options.name}, {folder} exists; leave --version out for the next"
        )
    rate_hz = options.rate or default_rate(recordings)
    stride = options.stride or default_stride(rate_hz, options.source_seq_len)
    dataset = make_dataset(recordings, rate_hz)
    training = TrainOptions(
        iterations=options.iterations,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        source_seq_len=options.source_seq_len,
        target_seq_len=options.target_seq_len or max(STEPS, stride),
        hidden=options.hidden,
        seed=options.seed,
        adversarial=options.adversarial,
        stop=options.stop,
    )
    draft = draft_manifest(options, dataset, training, stride, version)
    gaps = len(dataset.sequences) - len(dataset.recordings)
    cut = f", cut at {gaps} gaps" if gaps else ""
    durations = Durations(draft.stride / draft.rate_hz, dict(options.duration))
    print(
        f"{len(dataset.recordings)} recordings{cut}, {dataset.hours * 60:.1f} minutes at {dataset.rate_hz:g} Hz, "
        f"{draft.features} features of {len(draft.feature_joints)} joints"
    )
    log: Path = options.log / options.name / version
    result = train(
        dataset.sequences,
        training,
        feature_map=dataset.feature_map,
        load=options.load,
        checkpoint=log / "checkpoint.pt",
        curve=log / "loss.png",
        keep=log / "checkpoints" if options.keep_checkpoints else None,
    )
    print(
        f"prediction error {result.validation:.4f} on held-back windows after {result.best_iteration} of "
        f"{result.iterations} iterations (repeating the last frame: {result.repeating:.4f}); {log}"
    )
    if overtrained(result.points):
        print(WARNING.format(iteration=result.best_iteration), file=sys.stderr)
    return _publish(options, dataset, motions, len(multi_action) // motions, result, draft, durations, folder)


def _publish(
    options: Namespace,
    dataset: Dataset,
    motions: int,
    copies: int,
    result: TrainResult,
    draft: Manifest,
    durations: Durations,
    folder: Path,
) -> Path:
    origins = [run.origin for run in dataset.runs]
    known = copies_of(origins, motions, len(dataset.recordings) // copies - motions, copies)
    fitted = fit(
        result.network,
        dataset.sequences,
        [x for x, origin in zip(dataset.sequences, origins, strict=True) if origin < motions * copies],
        sensed_in(dataset, draft.stride),
        window=draft.window,
        stride=draft.stride,
        steps=draft.decoder_steps,
        projected=draft.projected,
        durations=durations,
        seed=options.seed,
        copies=copies,
        views=copies if options.body2d else 1,
        normal={n: motion for n, (copy, motion) in enumerate(known) if copy == 0 or options.body},
        feature_map=dataset.feature_map,
    )
    learnt = {"prediction_error": result.validation, "repeating_error": result.repeating}
    longest = round(REMEMBERS_S * draft.rate_hz)
    if (remembered := frames_to_forget(result.network, dataset.sequences, draft.window, longest)) is not None:
        learnt["memory_s"] = remembered / draft.rate_hz
    draft = replace(
        draft,
        latency=fitted.latency,
        settings={**fitted.settings, "largest": dataset.largest},
        metrics=learnt,
        training={**draft.training, "iterations_run": result.iterations, "best_iteration": result.best_iteration},
    )
    length = min(REFERENCE_WINDOWS * draft.window, max(map(len, dataset.sequences)))
    windows = Windows(dataset.sequences, length).spread(REFERENCES)
    manifest = export(result.network, folder=folder, draft=draft, arrays=fitted.arrays, windows=windows)
    errors = ", ".join(f"{name} within {variant.error:.1e}" for name, variant in manifest.variants.items())
    print(f"{folder}: {errors} of torch")
    return folder


def draft_manifest(options: Namespace, dataset: Dataset, training: TrainOptions, stride: int, version: str) -> Manifest:
    """The manifest as far as it is known before training. Raises ModelFolderError for options that do not fit."""
    seconds = {r.name: round((int(r.timestamps_us[-1]) - int(r.timestamps_us[0])) / 1e6, 3) for r in dataset.recordings}
    learnt: dict[str, Any] = {
        "command": shlex.join(["motionscribe-train", *sys.argv[1:]]),
        "recordings": seconds,
        "minutes": round(dataset.hours * 60, 2),
        **asdict(training),
    }
    return Manifest(
        name=options.name,
        version=version,
        created=date.today().isoformat(),
        description=options.description,
        skeleton=dataset.feature_map.skeleton,
        feature_joints=dataset.feature_map.joints,
        rate_hz=dataset.rate_hz,
        window=training.source_seq_len,
        stride=stride,
        decoder_steps=training.target_seq_len,
        features=dataset.feature_map.width,
        hidden=training.hidden,
        projected=options.projected,
        latency={},
        metrics={},
        settings={},
        training=learnt,
    )


def default_rate(recordings: Sequence[Recording]) -> float:
    """RATE_HZ, or the rate of the slowest recording where that is lower: frames in between would be made up."""
    return min(RATE_HZ, slowest_rate(recordings))


def slowest_rate(recordings: Sequence[Recording]) -> float:
    """Frames a second, to six digits."""
    return min(float(f"{recording.skeleton.rate_hz:.6g}") for recording in recordings)


def default_stride(rate_hz: float, window: int) -> int:
    """Frames of the divisor of `window` that is nearest to MOMENT_S, STRIDE at most."""
    wanted = min(STRIDE, MOMENT_S * rate_hz)
    return min((n for n in range(1, window + 1) if window % n == 0), key=lambda n: abs(n - wanted), default=1)


def next_version(folder: Path, known: str = "") -> str:
    """The version after the highest one of a model, and after one that lies elsewhere; "1" for a new model."""
    names = [known, *(path.name for path in folder.glob("*"))]
    return str(max((int(name) for name in names if name.isdecimal()), default=0) + 1)


def show(options: Namespace, folder: Path, pairs: Sequence[tuple[Recording, Truth]]) -> None:
    """Replays recordings through the model; prints scores of annotated ones and draws pictures where asked for."""
    bundle = read_bundle(folder)
    model, inference = ServedModel(bundle), Inference(bundle)
    rows: list[Row] = []
    for recording, truth in pairs:
        annotation = truth.fitted(len(recording.frames)) if truth else None
        if not (annotation or options.picture or options.video):
            continue
        replayed = replay_recording(model, inference, recording, annotation, options.lag)
        if annotation:
            rows.append(Row(recording.name, options.lag, "final", score_replayed(replayed)))
        if options.picture:
            picture = path_of(options.picture, recording, len(pairs))
            save_picture(picture, replayed, model)
            print(picture)
        if options.video:
            video = path_of(options.video, recording, len(pairs))
            save_film(video, replayed)
            print(video)
    if rows:
        print(table(rows))


def path_of(path: Path, recording: Recording, count: int) -> Path:
    """`path` itself for one recording; with the recording's name in it for more than one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path if count == 1 else path.with_name(f"{path.stem}-{recording.name}{path.suffix}")
