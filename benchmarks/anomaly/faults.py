"""Are faults found, and is normal motion left alone? `python -m benchmarks.anomaly.faults`.

Faults of three seconds are put into recordings of CMU subject 86 and of mocap6 (motionscribe_training/faults), which a
session of the body model then sees, and one of exponential maps; three folds: neither network nor constants have seen a
recording. A fault is found at a budget where a moment between its beginning and two seconds after its end is rarer than
the budget; it is named where one of its joints is among the first three of an anomaly that began in it. AUC is that of
moments in a fault against those before it and from two seconds after it on. False alarms, over the budget, are those in
the same recordings without faults, but for moments in which a sensor moves as none can: the recordings have faults of
their own. Prints a table and puts its rows into results.json beside this file.
"""

import argparse
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.anomaly.folds import FOLDS, Judge, Judged, files_of, train_without
from benchmarks.results import Numbers, exactly, quartiles, save
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_training.faults.inject import Injected, inject
from motionscribe_training.faults.kind import Kind
from motionscribe_training.faults.site import find_site

KINDS = (Kind.SWAP, Kind.FREEZE, Kind.DRIFT, Kind.JUMP, Kind.DROPOUT, Kind.LIMP, Kind.TREMOR)
DRAWS = 4
FAULT_S, EARLIEST_S, LATEST_S, AFTER_S = 3.0, 8.0, 4.0, 2.0
BUDGETS = {"05h": 0.5, "6h": 6.0, "60h": 60.0}
"""Ending of a row -> false alarms an hour."""
NAMED_AT = 6.0
APART_S = 2.0
"""Moments of normal motion that are nearer to each other are one false alarm."""


@dataclass
class Found:
    """Of the faults of one kind."""

    detected: dict[str, list[float]] = field(default_factory=lambda: {budget: [] for budget in BUDGETS})
    delays: list[float] = field(default_factory=list)
    named: list[float] = field(default_factory=list)
    inside: list[NDArray[np.float64]] = field(default_factory=list)
    outside: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, fault: Injected, judged: Judged, rate_hz: float) -> None:
        """One more fault, as a session judged it."""
        start, end = fault.start / rate_hz, fault.end / rate_hz
        rarest = judged.rates.min(axis=1)
        inside = (judged.ends_s > start) & (judged.ends_s <= end + 0.1)
        self.inside.append(-np.log(rarest[inside]))
        self.outside.append(-np.log(rarest[(judged.ends_s <= start) | (judged.ends_s > end + AFTER_S)]))
        counts = (judged.ends_s > start) & (judged.ends_s <= end + AFTER_S)
        for name, budget in BUDGETS.items():
            hits = judged.ends_s[counts & (rarest <= budget)]
            self.detected[name].append(float(len(hits) > 0))
            if len(hits) and budget == NAMED_AT:
                self.delays.append(float(hits[0]) - start)
        began = [
            anomaly.joints[:3]
            for anomaly in judged.anomalies
            if anomaly.end_seq > fault.start and anomaly.start_seq <= fault.end + AFTER_S * rate_hz
        ]
        if began:
            self.named.append(float(any(_same(joint, fault.joints) for joints in began for joint in joints)))

    def auc(self) -> float:
        """Area under the curve of all moments together."""
        inside, outside = np.concatenate(self.inside), np.concatenate(self.outside)
        truth = np.r_[np.ones(len(inside)), np.zeros(len(outside))]
        return float(roc_auc_score(truth, np.r_[inside, outside]))


PARTS = {
    "humerus": ("elbow", "wrist"),
    "radius": ("wrist",),
    "wrist": ("wrist",),
    "hand": ("wrist",),
    "femur": ("knee", "ankle"),
    "tibia": ("ankle",),
    "foot": ("ankle",),
    "head": ("head",),
    "neck": ("head",),
    "back": ("shoulder", "head"),
    "thorax": ("shoulder", "head"),
    "clavicle": ("shoulder",),
}
"""Joints of the canonical body that a bone of CMU's skeleton moves."""


def _same(joint: str, faulty: Iterable[str]) -> bool:
    """A named joint is one of the faulty ones, or the body's joint that one of these moves."""
    for bone in faulty:
        side = {"l": "left", "r": "right"}.get(bone[0], "")
        moved = next((joints for part, joints in PARTS.items() if part in bone), ())
        sides = [side] if side and not bone.startswith(("lower", "root")) else ["left", "right"]
        if joint == bone or joint in [f"{s}_{part}" for part in moved for s in sides] + [*moved]:
            return True
    return False


def injected(recording: Recording) -> Iterable[tuple[Kind, Injected]]:
    """DRAWS faults of each kind, where there is room for one that shows."""
    rate_hz = recording.skeleton.rate_hz
    length, earliest = round(FAULT_S * rate_hz), round(EARLIEST_S * rate_hz)
    for number, kind in enumerate(KINDS):
        for draw in range(DRAWS):
            rng = np.random.default_rng([number, draw, *recording.name.encode()])
            latest = len(recording.frames) - round(LATEST_S * rate_hz)
            site = find_site(recording, kind, length, rng, earliest, latest)
            if site is not None:
                yield kind, inject(recording, kind, site.start, site.end, rng, site.joint)


def false_alarms(judged: Judged, impossible: NDArray[np.bool_], budget: float) -> int:
    """Groups of moments rarer than the budget, `impossible` ones left out."""
    rare = judged.ends_s[(judged.rates.min(axis=1) <= budget) & ~impossible]
    return int(len(rare) > 0) + int((np.diff(rare) > APART_S).sum())


def main() -> None:
    """Trains, judges, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anomaly"), help="where the models are kept")
    parser.add_argument("--models", nargs="+", default=["body", "cmu-expmap"], metavar="NAME")
    options = parser.parse_args()
    for name in options.models:
        found = {kind: Found() for kind in KINDS}
        alarms, hours = dict.fromkeys(BUDGETS, 0), 0.0
        for left_out in FOLDS:
            judge = Judge(train_without(left_out, name, options.data, options.work))
            for path in files_of(left_out, options.data):
                recording = read_recording(path)
                judged = judge.judge(recording, NAMED_AT)
                own = own_faults(judge, recording, judged)
                hours += float((~own).sum()) * judge.model.moment_s / 3600
                for ending, budget in BUDGETS.items():
                    alarms[ending] += false_alarms(judged, own, budget)
                for kind, fault in injected(recording):
                    found[kind].add(fault, judge.judge(fault.recording, NAMED_AT), recording.skeleton.rate_hz)
        over = {ending: count / hours / BUDGETS[ending] for ending, count in alarms.items()}
        rows = rows_of(found) | {f"false_alarms/{ending}": exactly(round(ratio, 2)) for ending, ratio in over.items()}
        rows["false_alarms/hours"] = exactly(round(hours, 3))
        prefix = "faults" if name == "body" else f"faults_{name}"
        save(__file__, prefix, {f"{prefix}/{row}": numbers for row, numbers in rows.items()})


def own_faults(judge: Judge, recording: Recording, judged: Judged) -> NDArray[np.bool_]:
    """(n,) the moments near which a sensor of the recording moves as none can."""
    impossible_s = judge.impossible_s(recording)
    return np.array([bool((np.abs(impossible_s - end) <= 1.0).any()) for end in judged.ends_s], bool)


def rows_of(found: dict[Kind, Found]) -> dict[str, Numbers]:
    """Of each kind, and of all."""
    everything = Found()
    rows: dict[str, Numbers] = {}
    for kind, own in found.items():
        for name in BUDGETS:
            everything.detected[name] += own.detected[name]
        for one, more in ((everything.delays, own.delays), (everything.named, own.named)):
            one += more
        rows |= _rows(str(kind).replace(" ", "_"), own, own.auc())
    # the mean over kinds: some have more room than others
    return rows | _rows("all", everything, float(np.mean([own.auc() for own in found.values()])))


def _rows(name: str, found: Found, auc: float) -> dict[str, Numbers]:
    rows = {f"{name}/auc": exactly(round(auc, 3))}
    for budget, hits in found.detected.items():
        rows[f"{name}/detected_{budget}"] = _share(hits)
    if found.delays:
        rows[f"{name}/delay_s"] = quartiles(found.delays)
    if found.named:
        rows[f"{name}/named"] = _share(found.named)
    return rows


def _share(hits: list[float]) -> Numbers:
    """Of 1 among 0 and 1."""
    share = float(np.mean(hits))
    return {"value": round(share, 3), "low": share, "high": share, "n": len(hits)}


if __name__ == "__main__":
    main()
