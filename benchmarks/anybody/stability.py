"""Is the stability of labels honest while joints are out of sight? `python -m benchmarks.anybody.stability`.

The trials of CMU subject 86 in two halves: each is labelled live by a model that was trained like the shipped one, in
fewer iterations, without that half. Joints of the limbs are lost for some seconds, then seen for as long. Provisional
labels are counted by how many joints an open Degraded names: the mean stability that they were told with, the share
that became final, and the calibration error (ten bins); and the same without the weight of joints (stability.py).
`missing` is what the logits lacked without that weight, more than those of labels that were told while all joints were
seen. Prints a table and puts its rows into results.json beside this file.
"""

import argparse
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from benchmarks.blind.folds import ROOT, recordings_without
from benchmarks.results import Numbers, exactly, save
from motionscribe_models.arrays import Single
from motionscribe_models.body.mapping import mapped
from motionscribe_models.manifest import read_manifest
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Degraded, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.stability import UNSEEN
from motionscribe_training.data.degrade import LIMBS

HALVES = (("01", "07", "10", "13"), ("03", "09", "11"))
ITERATIONS = 300
"""A third of the shipped model's: stability hardly depends on them."""
THINNED = 4
"""120 to 30 Hz, the model's rate."""
JOINTS = (0, 1, 2, 4, 8)
"""How many are lost at a time."""
AWAY_S = (1.5, 4.0)
GROUPS = {"none": (0, 0), "1": (1, 1), "2": (2, 2), "3_or_4": (3, 4), "more": (5, 13), "any": (1, 13), "all": (0, 13)}


def train_without(half: tuple[str, ...], data: Path, out: Path) -> Path:
    """The folder of a model. Made once."""
    folder = out / f"without-{'-'.join(half)}" / "1"
    if folder.exists():
        return folder
    _, *arguments = shlex.split(read_manifest(ROOT / "models" / "body" / "1").training["command"])
    kept = [str(path) for path in recordings_without(half, data)]
    places = {"sub86": kept, "amc": [], "cmu_amc": [str(data / "cmu_amc")], "cmu8": [str(data / "cmu8")]}
    changed = [changed for argument in arguments for changed in places.get(Path(argument).name, [argument])]
    # of options given twice the last counts
    result = ["--name", folder.parent.name, "--out", str(out), "--log", str(out / "log"), "--seed", "0"]
    more = ["--iterations", str(ITERATIONS)]
    subprocess.run([sys.executable, "-m", "motionscribe_training", *changed, *result, *more], check=True)
    return folder


def lose(places: Single, joints: int, rate_hz: float, rng: np.random.Generator) -> None:
    """Makes so many joints of places (n, 15, 3) not seen, others each time."""
    at = 0
    while joints and at < len(places):
        start = at + round(rng.uniform(*AWAY_S) * rate_hz)
        at = start + round(rng.uniform(*AWAY_S) * rate_hz)
        places[start:at, rng.choice(LIMBS, joints, replace=False)] = np.nan


def watch(model: ServedModel, inference: Inference, body: Recording) -> NDArray[np.float64]:
    """(n, 3) of each provisional label: its stability, whether it became final, joints that were told of then."""
    emitted = replay(model, inference, body, SessionOptions(rate_hz=body.skeleton.rate_hz))
    final = np.zeros(len(body.frames) + 1, np.int64)
    labels: list[tuple[Label, int]] = []
    unseen = 0
    for event in (came.event for came in emitted):
        match event:
            case Degraded():
                unseen = len(event.joints) if event.ongoing else 0
            case Label(final=True):
                final[event.start_seq : event.end_seq] = event.cluster
            case Label():
                labels.append((event, unseen))
    return np.array([(label.stability, label.cluster == final[label.start_seq], n) for label, n in labels])


def calibration(told: NDArray[np.float64], stayed: NDArray[np.float64]) -> float:
    """Expected calibration error of ten bins."""
    bins = np.minimum((told * 10).astype(int), 9)
    return float(sum(abs((told - stayed)[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)))


def missing_logit(logits: NDArray[np.float64], stayed: NDArray[np.float64]) -> float:
    """What makes them right on average when it is added to all."""
    return float(brentq(lambda more: expit(logits + more).mean() - stayed.mean(), -5, 5))


def main() -> None:
    """Trains, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anybody"), help="where the models are kept")
    options = parser.parse_args()
    found: list[NDArray[np.float64]] = []
    for half in HALVES:
        bundle = read_bundle(train_without(half, options.data, options.work))
        model, inference = ServedModel(bundle), Inference(bundle)
        for trial in half:
            whole = mapped(read_recording(options.data / "sub86" / f"{trial}.mat"))
            rate_hz = whole.skeleton.rate_hz / THINNED
            for joints in JOINTS:
                frames = whole.frames[::THINNED].copy()
                lose(frames[:, :-1].reshape(len(frames), -1, 3), joints, rate_hz, np.random.default_rng(joints))
                skeleton = replace(whole.skeleton, rate_hz=rate_hz)
                times = whole.timestamps_us[::THINNED]
                found.append(
                    watch(model, inference, replace(whole, frames=frames, timestamps_us=times, skeleton=skeleton))
                )
    told, stayed, unseen = np.concatenate(found).T
    before = logit(told) - UNSEEN * np.log1p(unseen)
    plain = expit(before)
    rows: dict[str, Numbers] = {}
    groups = {name: (least <= unseen) & (unseen <= most) for name, (least, most) in GROUPS.items()}
    for name, of in groups.items():
        numbers = {
            "labels": float(of.sum()),
            "stayed": stayed[of].mean(),
            "told": told[of].mean(),
            "error": calibration(told[of], stayed[of]),
            "told_before": plain[of].mean(),
            "error_before": calibration(plain[of], stayed[of]),
        }
        rows |= {f"unseen/{name}/{metric}": exactly(round(float(number), 4)) for metric, number in numbers.items()}
    missing = {name: missing_logit(before[of], stayed[of]) for name, of in groups.items()}
    rows |= {f"unseen/{name}/missing": exactly(round(missing[name] - missing["none"], 4)) for name in missing}
    save(__file__, "unseen", rows)


if __name__ == "__main__":
    main()
