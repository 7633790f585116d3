"""How good live labels are on trials of CMU subject 86 that the model has not seen: `python -m benchmarks.blind`.

Two models are trained like the shipped one, each without half of the trials at hand, and label the trials that they
have not seen, live, through the server's own Session. The number of actions is not given. Prints a table and writes
results.json beside this file; value is the mean over recordings, low and high the worst and best recording.
"""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path

from motionscribe_models.manifest import read_manifest
from motionscribe_models.repository import read_bundle
from motionscribe_server.inference import Inference
from motionscribe_server.model import ServedModel
from motionscribe_training.evaluate import LAGS, evaluate, labelled_recordings
from motionscribe_training.table import Row, numbers, table

FOLDS = (("01", "03", "07"), ("09", "10", "11", "13"))
COMMAND = "python -m benchmarks.blind"
HERE = Path(__file__).parent


def train_without(trials: tuple[str, ...], data: Path, out: Path) -> Path:
    """The folder of a model trained by the shipped model's own command, but without `trials`. Made once."""
    folder = out / f"without-{'-'.join(trials)}" / "1"
    if folder.exists():
        return folder
    shipped = read_manifest(HERE.parents[1] / "models" / "cmu-expmap" / "1")
    _, *arguments = shlex.split(shipped.training["command"])
    kept = [str(path) for path in sorted((data / "sub86").glob("*.mat")) if path.stem not in trials]
    places = {"sub86": kept, "amc": [str(data / "mocap6" / "amc")], "cmu_amc": [str(data / "cmu_amc")]}
    changed = [changed for argument in arguments for changed in places.get(Path(argument).name, [argument])]
    # of options given twice the last counts
    result = ["--name", folder.parent.name, "--out", str(out), "--log", str(out / "log")]
    subprocess.run([sys.executable, "-m", "motionscribe_training", *changed, *result], check=True)
    return folder


def main() -> None:
    """Trains, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/blind"), help="where the two models are kept")
    options = parser.parse_args()
    rows: list[Row] = []
    for trials in FOLDS:
        bundle = read_bundle(train_without(trials, options.data, options.work))
        labelled = labelled_recordings([options.data / "sub86" / f"{trial}.mat" for trial in trials])
        rows += evaluate(ServedModel(bundle), Inference(bundle), labelled, LAGS, first=True)
    print(table(rows))
    results: dict[str, object] = {"command": COMMAND}
    for lag in LAGS:
        for labels in ("final", "first"):
            found = [numbers(row.score) for row in rows if (row.lag, row.labels) == (lag, labels)]
            for metric in found[0]:
                values = [f[metric] for f in found if metric in f]
                results[f"{lag}-{labels}/{metric}"] = {
                    "value": round(sum(values) / len(values), 4),
                    "low": round(min(values), 4),
                    "high": round(max(values), 4),
                    "n": len(values),
                }
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
