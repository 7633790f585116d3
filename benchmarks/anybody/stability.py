"""Is the stability of labels honest while joints are out of sight? `python -m benchmarks.anybody.stability`.

Each trial of CMU subject 86 is labelled live by the model of `python -m benchmarks.anybody` that has not seen it.
Joints of the limbs are lost for some seconds, then seen for as long. Provisional labels are counted by how many joints
an open Degraded names: the mean stability that they were told with, the share that became final, and the calibration
error (ten bins); and the same without the weight of joints (stability.py). `missing` is what the logits lacked without
that weight, more than those of labels that were told while all joints were seen. Prints a table and puts its rows into
results.json beside this file.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit, logit

from benchmarks.anybody.__main__ import train_without
from benchmarks.blind.folds import TRIALS
from benchmarks.provisional import calibration
from benchmarks.results import Numbers, exactly, save
from motionscribe_models.arrays import Single
from motionscribe_models.body.mapping import mapped
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import Degraded, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay
from motionscribe_server.session.stability import UNSEEN
from motionscribe_training.data.degrade import LIMBS
from motionscribe_training.evaluation.evaluate import gather_labels

THINNED = 4
"""120 to 30 Hz, the model's rate."""
JOINTS = (0, 1, 2, 4, 8)
"""How many are lost at a time."""
AWAY_S = (1.5, 4.0)
GROUPS = {"none": (0, 0), "1": (1, 1), "2": (2, 2), "3_or_4": (3, 4), "more": (5, 13), "any": (1, 13), "all": (0, 13)}


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
    final = gather_labels(emitted, body, None, "balanced").final
    labels: list[tuple[Label, int]] = []
    unseen = 0
    for event in (came.event for came in emitted):
        match event:
            case Degraded():
                unseen = len(event.joints) if event.ongoing else 0
            case Label(final=False):
                labels.append((event, unseen))
    return np.array([(label.stability, label.cluster == final[label.start_seq - 1], n) for label, n in labels])


def error_of(stability: NDArray[np.float64], stayed: NDArray[np.float64]) -> float:
    """Expected calibration error."""
    return calibration([np.stack([stability, stayed], axis=1)])["calibration_error"]


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
    for trial in TRIALS:
        bundle = read_bundle(train_without(trial, options.data, options.work, 0))
        model, inference = ServedModel(bundle), Inference(bundle)
        whole = mapped(read_recording(options.data / "sub86" / f"{trial}.mat"))
        rate_hz = whole.skeleton.rate_hz / THINNED
        for joints in JOINTS:
            frames = whole.frames[::THINNED].copy()
            lose(frames[:, :-1].reshape(len(frames), -1, 3), joints, rate_hz, np.random.default_rng(joints))
            skeleton, times = replace(whole.skeleton, rate_hz=rate_hz), whole.timestamps_us[::THINNED]
            thinned = replace(whole, frames=frames, timestamps_us=times, skeleton=skeleton)
            found.append(watch(model, inference, thinned))
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
            "error": error_of(told[of], stayed[of]),
            "told_before": plain[of].mean(),
            "error_before": error_of(plain[of], stayed[of]),
        }
        rows |= {f"unseen/{name}/{metric}": exactly(round(float(number), 4)) for metric, number in numbers.items()}
    missing = {name: missing_logit(before[of], stayed[of]) for name, of in groups.items()}
    rows |= {f"unseen/{name}/missing": exactly(round(missing[name] - missing["none"], 4)) for name in missing}
    save(__file__, "unseen", rows)


if __name__ == "__main__":
    main()
