"""How good the body model's labels are where it has not been: `python -m benchmarks.anybody`.

For each trial of CMU subject 86 a model is trained like the shipped one but without that trial, and labels it live,
through the server's own Session, as it is and as worse sources would see it (conditions.py). `people`: the exercise
routines of mocap6, by a model of subject 86 and single actions alone. Prints a table and writes results.json beside
this file: value is the mean over trials and seeds, low and high the least and the most.
"""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.anybody.conditions import CONDITIONS, seen_as, thinned
from benchmarks.blind.folds import ROOT, TRIALS, recordings_without
from benchmarks.spread import spread
from motionscribe_models.body.mapping import mapped
from motionscribe_models.lags import Lag
from motionscribe_models.manifest import read_manifest
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_training.evaluation.evaluate import evaluate, labelled_recordings
from motionscribe_training.evaluation.table import numbers

COMMAND = "python -m benchmarks.anybody"
HERE = Path(__file__).parent
SECONDS: dict[Lag, str] = {"balanced": "1", "stable": "3"}
CLEAN = "clean"

Found = dict[str, list[float]]


def train_without(left_out: str, data: Path, out: Path, seed: int) -> Path:
    """The folder of a model trained by the shipped model's own command, but without a trial or "mocap6". Made once."""
    folder = out / f"without-{left_out}-seed-{seed}" / "1"
    if folder.exists():
        return folder
    _, *arguments = shlex.split(read_manifest(ROOT / "models" / "body" / "1").training["command"])
    kept = [str(path) for path in recordings_without((left_out,), data)]
    places = {"sub86": kept, "amc": [], "cmu_amc": [str(data / "cmu_amc")], "cmu8": [str(data / "cmu8")]}
    changed = [changed for argument in arguments for changed in places.get(Path(argument).name, [argument])]
    # of options given twice the last counts
    result = ["--name", folder.parent.name, "--out", str(out), "--log", str(out / "log"), "--seed", str(seed)]
    subprocess.run([sys.executable, "-m", "motionscribe_training", *changed, *result], check=True)
    return folder


def score(folder: Path, paths: list[Path], conditions: dict[str, str], seed: int) -> Found:
    """Scores of the recordings `paths`; `conditions` by the name of their rows."""
    bundle = read_bundle(folder)
    model, inference = ServedModel(bundle), Inference(bundle)
    found: Found = {}
    for recording, annotation in labelled_recordings(paths):
        body = mapped(recording)
        truth = annotation.fitted(len(body.frames))
        for row, condition in conditions.items():
            copy = seen_as(body, condition, seed)
            thin = truth if len(copy.frames) == len(body.frames) else thinned(truth, len(copy.frames))
            for scored in evaluate(model, inference, [(copy, thin)], list(SECONDS)):
                metrics = numbers(scored.score)
                for metric in ("accuracy", "ari"):
                    found.setdefault(f"{row}/{SECONDS[scored.lag]}/{metric}", []).append(metrics[metric])
    return found


def main() -> None:
    """Trains, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anybody"), help="where the models are kept")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="networks of each fold")
    options = parser.parse_args()
    found: Found = {}
    for seed in range(options.seeds):
        for trial in TRIALS:
            folder = train_without(trial, options.data, options.work, seed)
            own = score(folder, [options.data / "sub86" / f"{trial}.mat"], {name: name for name in CONDITIONS}, seed)
            found |= {row: found.get(row, []) + values for row, values in own.items()}
        folder = train_without("mocap6", options.data, options.work, seed)
        others = score(folder, sorted((options.data / "mocap6" / "amc").glob("*.amc")), {"people": CLEAN}, seed)
        found |= {row: found.get(row, []) + values for row, values in others.items()}
    rows = {row: spread(values) for row, values in found.items()}
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
