"""How good live labels are on trials of CMU subject 86 that the model has not seen: `python -m benchmarks.blind`.

For each trial a model is trained like the shipped one but without that trial, and labels it live, through the server's
own Session, with the shipped settings. The number of actions is not given. Prints a table and writes results.json
beside this file; value is the mean over recordings, low and high the least and the most of a recording.
`prediction/to_repeating`: squared error of predicted frames over that of repeating the last frame, of all recordings.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.blind.folds import TRIALS, train_without
from benchmarks.spread import spread
from motionscribe_models.features import FeatureMap, recording_features
from motionscribe_models.lags import LAGS
from motionscribe_models.manifest import Manifest
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.steps import step_of
from motionscribe_training.evaluation.evaluate import evaluate, labelled_recordings
from motionscribe_training.evaluation.table import Row, numbers, table

COMMAND = "python -m benchmarks.blind"
HERE = Path(__file__).parent


def prediction_errors(manifest: Manifest, inference: Inference, recording: Recording) -> NDArray[np.float64]:
    """(2,): squared errors of all predicted frames, normalised as for training, and of repeating the last frame."""
    feature_map = FeatureMap(recording.skeleton, manifest.feature_joints)
    features = recording_features(feature_map, recording.frames, recording.timestamps_us, manifest.rate_hz)
    _, scale = feature_map.normalisation([features])
    state, errors = inference.new_state(), np.zeros(2)
    for index, frame in enumerate(features[: -manifest.decoder_steps]):
        (answer,) = inference.advance([state], [[step_of(frame, index, manifest.forgets_after, manifest.stride)]])
        if answer is not None:
            future = features[index + 1 : index + 1 + manifest.decoder_steps]
            errors += [np.square((guess - future) / scale).sum() for guess in (answer.prediction, frame)]
    return errors


def main() -> None:
    """Trains, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/blind"), help="where the models are kept")
    options = parser.parse_args()
    rows: list[Row] = []
    errors: list[NDArray[np.float64]] = []
    for trial in TRIALS:
        bundle = read_bundle(train_without((trial,), options.data, options.work))
        labelled = labelled_recordings([options.data / "sub86" / f"{trial}.mat"])
        model, inference = ServedModel(bundle), Inference(bundle)
        rows += evaluate(model, inference, labelled, LAGS, first=True)
        errors += [prediction_errors(bundle.manifest, inference, recording) for recording, _ in labelled]
    print(table(rows))
    predicted, repeated = np.sum(errors, axis=0)
    ratio = float(predicted / repeated)
    print(f"squared error of predictions over that of repeating the last frame: {ratio:.3f}")
    results: dict[str, object] = {"command": COMMAND}
    for lag in LAGS:
        for labels in ("final", "first"):
            found = [numbers(row.score) for row in rows if (row.lag, row.labels) == (lag, labels)]
            for metric in found[0]:
                results[f"{lag}-{labels}/{metric}"] = spread([f[metric] for f in found if metric in f])
    results["prediction/to_repeating"] = {**spread([float(a / b) for a, b in errors]), "value": round(ratio, 4)}
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
