"""What one judge made of the faults of one kind: detected, how soon, joints named, and how well moments are told apart.

In: recordings with a fault, as judged. Out: rows. A fault is found at a budget where a moment between its beginning and
two seconds after its end is rarer than the budget; it is named where one of its joints is among the first three of an
anomaly that began in it. AUC is that of moments in a fault against those before it and from two seconds after it on,
VUS-PR (vus.py) that of all moments, with buffers up to the length of the fault; both of all faults of a kind together.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.anomaly.folds import BUDGETS, JUDGED_AT, Judged
from benchmarks.anomaly.intervals import share
from benchmarks.anomaly.vus import Mask, vus_pr
from benchmarks.results import Numbers, exactly, quartiles
from motionscribe_models.arrays import Array
from motionscribe_training.faults.inject import Injected

AFTER_S = 2.0
"""After a fault its moments are neither right nor wrong."""
RAREST = 1e-300
"""False alarms an hour: what is rarer is as rare."""
LATE_S = 0.1
"""A moment that ends so long after a fault is one of it."""


@dataclass(eq=False)
class Found:
    """Of the faults of one kind."""

    detected: dict[str, list[bool]] = field(default_factory=lambda: {budget: [] for budget in BUDGETS})
    delays: list[float] = field(default_factory=list)
    named: list[bool] = field(default_factory=list)
    scores: list[Array] = field(default_factory=list)
    """Of each recording, of all moments."""
    inside: list[Mask] = field(default_factory=list)
    """Which of them are in the fault."""
    outside: list[Mask] = field(default_factory=list)
    longest: int = 0
    """Moments of the longest fault."""

    def add(self, fault: Injected, judged: Judged, rate_hz: float) -> None:
        """One more fault."""
        start, end = fault.start / rate_hz, fault.end / rate_hz
        ends_s, rarest = judged.ends_s, judged.rates.min(axis=1)
        self.scores.append(-np.log(np.maximum(rarest, RAREST)))
        self.inside.append((ends_s > start) & (ends_s <= end + LATE_S))
        self.outside.append((ends_s <= start) | (ends_s > end + AFTER_S))
        self.longest = max(self.longest, int(self.inside[-1].sum()))
        counts = (ends_s > start) & (ends_s <= end + AFTER_S)
        for name, budget in BUDGETS.items():
            hits = ends_s[counts & (rarest <= budget)]
            self.detected[name].append(len(hits) > 0)
            if len(hits) and budget == JUDGED_AT:
                self.delays.append(float(hits[0]) - start)
        began = [
            anomaly.joints[:3]
            for anomaly in judged.anomalies
            if anomaly.end_seq > fault.start and anomaly.start_seq <= fault.end + AFTER_S * rate_hz
        ]
        if began:
            self.named.append(any(_same(joint, fault.joints) for joints in began for joint in joints))

    def auc(self) -> float:
        """Area under the curve of all moments together."""
        scores = np.concatenate(self.scores)
        inside, outside = np.concatenate(self.inside), np.concatenate(self.outside)
        return float(roc_auc_score(inside[inside | outside], scores[inside | outside]))

    def vus_pr(self) -> float:
        """Volume of all recordings one after another: no buffer is as long as what lies between two faults."""
        return vus_pr(np.concatenate(self.inside), np.concatenate(self.scores), self.longest)


def rows_of(found: Mapping[str, Found]) -> dict[str, Numbers]:
    """Of each kind, and of `all`, whose areas are the mean over kinds: some have more room than others."""
    everything, areas = Found(), dict[str, tuple[float, float]]()
    rows: dict[str, Numbers] = {}
    for kind, own in found.items():
        for budget, hits in everything.detected.items():
            hits += own.detected[budget]
        everything.delays += own.delays
        everything.named += own.named
        if own.scores:
            areas[kind] = own.auc(), own.vus_pr()
            rows |= _rows(kind, own, *areas[kind])
    auc, volume = np.mean([*areas.values()], axis=0)
    return rows | _rows("all", everything, float(auc), float(volume))


def _rows(name: str, found: Found, auc: float, volume: float) -> dict[str, Numbers]:
    rows = {f"{name}/auc": exactly(round(auc, 3)), f"{name}/vus_pr": exactly(round(volume, 3))}
    rows |= {f"{name}/detected_{budget}": share(hits) for budget, hits in found.detected.items()}
    if found.delays:
        rows[f"{name}/delay_s"] = quartiles(found.delays)
    if found.named:
        rows[f"{name}/named"] = share(found.named)
    return rows


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
