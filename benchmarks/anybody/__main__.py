"""How good the body model's labels are where it has not been: `python -m benchmarks.anybody`.

For each trial of CMU subject 86 a model is trained like the shipped one but without that trial, and labels it live,
through the server's own Session, as it is and as worse sources would see it (conditions.py). `people`: the exercise
routines of mocap6, by a model of subject 86 and single actions alone. `flat2d`: each trial, from views that nobody has
seen, by a model of bodies in images that has not seen the trial. `first_10_s`: accuracy of the first ten seconds alone,
in which size, floor and level settle; clusters are matched over the whole. `taken_back`: how often labels that were
shown are taken back, for each true boundary; `auroc` and `calibration_error` are of the stability of all provisional
labels together (provisional.py). Prints a table and writes results.json beside this file: value is the mean over
trials, views and seeds, low and high the least and the most.
"""

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.anybody.conditions import CONDITIONS, seen_as, thinned, unseen_views
from benchmarks.blind.folds import TRIALS, train_like
from benchmarks.provisional import Told, calibration, count_taken_back, told
from benchmarks.results import exactly
from benchmarks.spread import spread
from motionscribe_models.body.mapping import mapped
from motionscribe_models.lags import Lag
from motionscribe_models.recordings import Recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_training.evaluation.evaluate import Replayed, gather_labels, labelled_recordings, score_replayed
from motionscribe_training.evaluation.metrics import match_clusters
from motionscribe_training.evaluation.table import numbers

COMMAND = "python -m benchmarks.anybody"
HERE = Path(__file__).parent
SECONDS: dict[Lag, str] = {"balanced": "1", "stable": "3"}

Found = dict[str, list[float]]
"""Numbers of recordings, by row."""
Copies = Callable[[Recording], Iterable[tuple[str, Recording]]]
"""Recordings that are made of one, each with the name of its rows."""


def train_without(left_out: str, data: Path, out: Path, seed: int, shipped: str = "body") -> Path:
    """The folder of a model like a shipped one, but without a trial or "mocap6". Made once."""
    return train_like(shipped, (left_out,), data, out / f"{shipped}-without-{left_out}-seed-{seed}" / "1", seed)


def score(folder: Path, paths: list[Path], copies: Copies, labels: dict[str, list[Told]]) -> Found:
    """Scores of the copies of the recordings `paths`; adds to the provisional `labels` of each row."""
    bundle = read_bundle(folder)
    model, inference = ServedModel(bundle), Inference(bundle)
    found: Found = {}
    for recording, annotation in labelled_recordings(paths):
        body = mapped(recording)
        truth = annotation.fitted(len(body.frames))
        for row, copy in copies(body):
            frames = len(copy.frames)
            thin = truth if frames == len(body.frames) else thinned(truth, frames)
            for lag, seconds in SECONDS.items():
                emitted = replay(model, inference, copy, SessionOptions(lag=lag, rate_hz=copy.skeleton.rate_hz))
                replayed = gather_labels(emitted, copy, thin, lag)
                metrics = numbers(score_replayed(replayed))
                metrics["first_10_s"] = accuracy_at_first(replayed)
                metrics["taken_back"] = count_taken_back(emitted, frames) / len(thin.boundaries)
                for metric in ("accuracy", "ari", "first_10_s", "taken_back"):
                    found.setdefault(f"{row}/{seconds}/{metric}", []).append(metrics[metric])
                labels.setdefault(f"{row}/{seconds}", []).append(told(emitted, replayed.final))
    return found


def accuracy_at_first(replayed: Replayed, seconds: float = 10.0) -> float:
    """Share of the first frames whose cluster is, over all frames, that of their action."""
    assert replayed.annotation is not None
    times = replayed.recording.timestamps_us
    truth = replayed.annotation.labels(len(times))
    right = match_clusters(truth, replayed.final) == truth
    return float(right[(times - times[0] < 1e6 * seconds) & (truth >= 0)].mean())


def main() -> None:
    """Trains, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anybody"), help="where the models are kept")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="networks of each fold")
    options = parser.parse_args()
    found: Found = {}
    labels: dict[str, list[Told]] = {}
    for seed in range(options.seeds):

        def worse(body: Recording, seed: int = seed) -> Iterable[tuple[str, Recording]]:
            return ((name, seen_as(body, name, seed)) for name in CONDITIONS)

        def flat(body: Recording, seed: int = seed) -> Iterable[tuple[str, Recording]]:
            return (("flat2d", view) for view in unseen_views(body, seed))

        routines = sorted((options.data / "mocap6" / "amc").glob("*.amc"))
        jobs: list[tuple[str, str, list[Path], Copies]] = [
            ("body", "mocap6", routines, lambda body: [("people", body)])
        ]
        for trial in TRIALS:
            paths = [options.data / "sub86" / f"{trial}.mat"]
            jobs += [("body", trial, paths, worse), ("body2d", trial, paths, flat)]
        for shipped, left_out, paths, copies in jobs:
            folder = train_without(left_out, options.data, options.work, seed, shipped)
            own = score(folder, paths, copies, labels)
            found |= {row: found.get(row, []) + values for row, values in own.items()}
    rows = {row: spread(values) for row, values in found.items()}
    for row, several in labels.items():
        rows |= {f"{row}/{metric}": exactly(round(value, 4)) for metric, value in calibration(several).items()}
    for row, numbers_of in rows.items():
        print(f"{row:24} {numbers_of['value']:.3f}  {numbers_of['low']:.3f} to {numbers_of['high']:.3f}")
    command = COMMAND if options.seeds == 3 else f"{COMMAND} --seeds {options.seeds}"
    file = HERE / "results.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    # of the other commands of this folder
    others = {row: numbers for row, numbers in before.items() if row.startswith(("cost/", "names/", "unseen/"))}
    commands = [command, *(c for c in before.get("command", "").split("; ") if c.startswith(f"{COMMAND}."))]
    file.write_text(json.dumps({"command": "; ".join(commands), **rows, **others}, indent=1) + "\n")


if __name__ == "__main__":
    main()
