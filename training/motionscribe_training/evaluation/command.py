"""The command `motionscribe-train evaluate`: scores of labelled recordings as a table or JSON, pictures and films.

In: a model folder and recordings that have an annotation. Out: text on standard output, and files where asked for.
evaluate.py scores; this file reads options and writes results.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from motionscribe_models.lags import LAGS
from motionscribe_models.manifest import read_manifest, write_manifest
from motionscribe_models.recordings import endings
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Choice, Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_training.evaluation.evaluate import Replayed, evaluate, labelled_recordings, save_film, save_picture
from motionscribe_training.evaluation.pictures import check_picture
from motionscribe_training.evaluation.table import Row, manifest_metrics, mean_rows, numbers, table
from motionscribe_training.evaluation.video import check_video


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options of `motionscribe-train evaluate`, which `main` reads."""
    parser.set_defaults(command=main)
    parser.add_argument("model", type=Path, metavar="MODEL", help="model folder, as models/cmu-expmap/1")
    places = f"labelled recordings ({' '.join(endings())}), or folders of them"
    parser.add_argument("places", nargs="+", type=Path, metavar="PLACE", help=places)
    parser.add_argument(
        "--lag",
        nargs="+",
        choices=LAGS,
        default=["balanced"],
        help="how long the server waits before a label is final",
    )
    parser.add_argument("--first", action="store_true", help="also score the labels as they were first shown")
    parser.add_argument("--variant", choices=get_args(Choice), default="auto", help="precision of the network")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--save", action="store_true", help="write the means into the model's manifest")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="predicted against true segments, as .png")
    parser.add_argument("--video", type=Path, metavar="FILE", help="skeleton, embedding and labels, as .mp4 or .gif")
    parser.add_argument("--seconds", type=float, metavar="S", help="length of the film (all of the recording)")


def main(options: argparse.Namespace) -> None:
    """Evaluates, draws and saves as asked, and prints the table. Raises ContractError, TrainingError."""
    check_files(options)  # before minutes of replaying
    labelled = labelled_recordings(options.places)
    bundle = read_bundle(options.model)
    model, inference = ServedModel(bundle), Inference(bundle, options.variant, (1,))
    numerous = len(labelled) > 1 or len(options.lag) > 1

    def draw(replayed: Replayed) -> None:
        name = f"-{replayed.recording.name}-{replayed.lag}" if numerous else ""
        for path in (options.picture, options.video):
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
        if options.picture:
            save_picture(options.picture.with_stem(options.picture.stem + name), replayed, model)
        if options.video:
            save_film(options.video.with_stem(options.video.stem + name), replayed, options.seconds)

    rows = evaluate(model, inference, labelled, options.lag, options.first, draw)
    if options.save:
        save_metrics(options.model, rows)
    print(as_json(rows, model, inference) if options.json else table(rows))


def check_files(options: argparse.Namespace) -> None:
    """Raises TrainingError for a --picture or --video of another ending, which might be a recording."""
    if options.picture:
        check_picture(options.picture)
    if options.video:
        check_video(options.video)


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
    """Writes the means and the names of the recordings into the manifest of a verified model folder."""
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
