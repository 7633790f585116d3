"""Is normal motion left alone? `python -m benchmarks.anomaly.false_alarms`.

Recordings without faults are streamed, each as a new person, through a session of a model that has not seen them: CMU
subject 86 and mocap6 by the models of faults.py; and for the body two short ones of other studios, a BVH file and a
phone's camera. Left out are moments in which a sensor of the recording itself moves as none can, and of new behaviour
all but those of actions that the model has seen somebody do: it is right to tell of others. Rows `known` count of all
kinds only the moments of such actions: what no model has seen often looks like a fault of the motion, too. An alarm
begins where a moment is rarer than the budget and none in the two seconds before it was. Ratio: alarms over those that
the budget, which is of each of the three kinds, lets expect; low and high are an exact interval of 95 %, n alarms.

There are some eight minutes. At 60 an hour about twenty alarms are to be expected, which shows a factor of 1.6; at 6 an
hour two, which shows one of 4. At half a one an hour it is a sixth of an alarm: nothing can be said of it, and there is
no ratio. It rests on the tail of the scores of normal motion (session/anomaly/rates.py) being as straight beyond what
was recorded as it is within.
Prints a table and puts its rows into results.json beside this file.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from benchmarks.anomaly.actions import actions_at, annotation_of, known_without
from benchmarks.anomaly.folds import BUDGETS, FOLDS, JUDGED_AT, KINDS, MODELS, Judge, begins_s, files_of, train_without
from benchmarks.anomaly.intervals import poisson_ratio
from benchmarks.anomaly.vus import Mask
from benchmarks.results import Numbers, exactly, save
from motionscribe_models.arrays import Array
from motionscribe_models.recordings import read_recording
from motionscribe_server.session.anomaly.kinds import Kind

ELSEWHERE = ("bvh/walk01.bvh", "camera/sports2d_demo_mediapipe.csv")
TESTABLE = ("6h", "60h")
"""Of the budgets."""


class Tally:
    """Alarms and hours, by kind."""

    def __init__(self) -> None:
        self.alarms = {budget: dict.fromkeys(KINDS, 0) for budget in BUDGETS}
        self.hours = dict.fromkeys(KINDS, 0.0)

    def add(self, kind: Kind, ends_s: Array, rates: Array, counts: Mask, moment_s: float) -> None:
        """Moments (n,) of one recording, and which of them count."""
        self.hours[kind] += float(counts.sum()) * moment_s / 3600
        for name, budget in BUDGETS.items():
            self.alarms[name][kind] += len(begins_s(ends_s, counts & (rates <= budget)))

    def rows(self) -> dict[str, Numbers]:
        """Of each budget, all kinds together and each by itself."""
        rows = {}
        for name in TESTABLE:
            alarms, expected = self.alarms[name], {kind: BUDGETS[name] * self.hours[kind] for kind in KINDS}
            if not any(expected.values()):
                continue
            rows[f"{name}/ratio"] = poisson_ratio(sum(alarms.values()), sum(expected.values()))
            for kind in KINDS:
                if expected[kind]:
                    rows[f"{name}/{kind.replace(' ', '_')}/ratio"] = poisson_ratio(alarms[kind], expected[kind])
        for name, alarms in self.alarms.items():
            rows[f"{name}/alarms"] = exactly(sum(alarms.values()))
            rows[f"{name}/expected"] = exactly(round(sum(BUDGETS[name] * hours for hours in self.hours.values()), 2))
        for kind, hours in self.hours.items():
            rows[f"hours/{kind.replace(' ', '_')}"] = exactly(round(hours, 4))
        return rows


def main() -> None:
    """Trains, judges, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anomaly"), help="where the models are kept")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME")
    options = parser.parse_args()
    for name in options.models:
        tally, known = Tally(), Tally()
        judges = [Judge(train_without(left_out, name, options.data, options.work)) for left_out in FOLDS]
        for judge, left_out in zip(judges, FOLDS, strict=True):
            watch(judge, files_of(left_out, options.data), known_without(left_out, options.data), tally, known)
        if name == MODELS[0]:
            watch(judges[0], [options.data / path for path in ELSEWHERE], set(), tally, known)
        prefix = "false_alarms" if name == MODELS[0] else f"false_alarms_{name}"
        rows = tally.rows() | {f"known/{row}": numbers for row, numbers in known.rows().items()}
        save(__file__, prefix, {f"{prefix}/{row}": numbers for row, numbers in rows.items()})


def watch(judge: Judge, paths: Iterable[Path], known: set[str], tally: Tally, of_known: Tally) -> None:
    """Counts what is said of recordings by a model that has seen the actions `known`; with none, no new behaviour."""
    for path in paths:
        recording = read_recording(path)
        judged = judge.judge(recording, JUDGED_AT)
        counts = judge.fine(recording, judged)
        seen = np.zeros(len(counts), bool)
        if known:
            annotation = annotation_of(path).fitted(len(recording.frames))
            seen = np.array([action in known for action in actions_at(annotation, recording, judged.ends_s)])
        for kind, rates in zip(KINDS, judged.rates.T, strict=True):
            own = counts & seen if kind is Kind.BEHAVIOUR else counts
            tally.add(kind, judged.ends_s, rates, own, judge.model.moment_s)
            of_known.add(kind, judged.ends_s, rates, counts & seen, judge.model.moment_s)


if __name__ == "__main__":
    main()
