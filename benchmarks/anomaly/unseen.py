"""Is behaviour noticed that nobody has shown? `python -m benchmarks.anomaly.unseen`.

Each action of CMU subject 86 (actions.py) is left out of training in turn: network, embedding, pose model, known
behaviours and constants have seen no recording that shows it, neither a trial nor mocap6 nor one of a single action.
The trials that show it are then judged as new streams. Three of the twelve actions are judged by a model of faults.py
that has not seen them either; nine models are trained, all like the shipped body model. Walking and standing are in
every trial: they cannot be left out.

AUROC is of the rate of `new behaviour` in moments of the action against moments of the same trials whose action the
model has seen, but for the two seconds after an action that it has not. An action is detected where an alarm begins,
at 6 an hour, after its earliest possible boundary and no later than two seconds after the annotator's. Only the first
time counts that a trial shows an action: what has come twice, a stream knows. Where what comes before it is unseen,
too, nothing is to be detected: an alarm is open already. `unseen/auroc` is the mean over actions, low and high the
least and the most; shares are of trials and have exact intervals of 95 %.

Limits: all trials are of one man, and the models know him from others. Whole recordings are left out, with whatever
else they show: 3 % of the motion (clap) to 55 % (jump); less is known then, and thresholds rest on less. What single
recordings show is by their names and CMU's catalogue: arms that wash a window or direct traffic stay in while swinging
arms are left out, and jumps on both legs while hops on one are. Prints a table and puts its rows into results.json
beside this file.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.metrics import roc_auc_score

from benchmarks.anomaly.actions import ACTIONS, action_of, actions_at, annotation_of, known_without, left_out_for
from benchmarks.anomaly.folds import FOLDS, JUDGED_AT, KINDS, Judge, Judged, begins_s, files_of, train_without
from benchmarks.anomaly.hits import AFTER_S, RAREST
from benchmarks.anomaly.intervals import share
from benchmarks.blind.folds import TRIALS, train_like
from benchmarks.results import Numbers, exactly, quartiles, save
from benchmarks.spread import spread
from motionscribe_models.arrays import Array
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_training.data.annotations import Annotation

WITHIN_S = 2.0
MODEL = "body"
SHARED = ("hop", "turn_body", "look")
"""Actions that a fold of faults.py leaves out as a whole, and what comes before them not."""


@dataclass(eq=False)
class Noticed:
    """Of one action."""

    inside: list[Array] = field(default_factory=list)
    """Scores of its moments."""
    outside: list[Array] = field(default_factory=list)
    """Of moments of actions that were seen."""
    delays: list[float] = field(default_factory=list)
    """From its beginning, after what was seen, to the first alarm in it; infinite where there is none."""

    def add(self, action: str, known: set[str], judged: Judged, annotation: Annotation, recording: Recording) -> None:
        """A recording that shows it."""
        rate_hz, ends_s = recording.skeleton.rate_hz, judged.ends_s
        rates = np.maximum(judged.rates[:, KINDS.index(Kind.BEHAVIOUR)], RAREST)
        at = actions_at(annotation, recording, ends_s)
        place = next(n for n, segment in enumerate(annotation.segments) if action_of(segment.name) == action)
        first = annotation.segments[place]
        inside = (ends_s > first.start / rate_hz) & (ends_s <= first.end / rate_hz)
        strange_s = ends_s[[own not in known for own in at]]
        after = np.array([bool(((end - strange_s >= 0) & (end - strange_s <= AFTER_S)).any()) for end in ends_s])
        self.inside.append(-np.log(rates[inside]))
        self.outside.append(-np.log(rates[~after]))  # what is strange is right after itself
        earliest = annotation.boundaries[place - 1].earliest if place else first.start
        begins = begins_s(ends_s, rates <= JUDGED_AT)
        own = begins[(begins > earliest / rate_hz) & (begins <= first.end / rate_hz)]
        if place == 0 or action_of(annotation.segments[place - 1].name) in known:
            self.delays.append(float(own[0]) - first.start / rate_hz if len(own) else np.inf)

    def auroc(self) -> float:
        """Of all moments together."""
        inside, outside = np.concatenate(self.inside), np.concatenate(self.outside)
        truth = np.r_[np.ones(len(inside)), np.zeros(len(outside))]
        return float(roc_auc_score(truth, np.r_[inside, outside]))


def main() -> None:
    """Trains, judges, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anomaly"), help="where the models are kept")
    parser.add_argument("--actions", nargs="+", choices=ACTIONS, default=[*ACTIONS], metavar="NAME")
    options = parser.parse_args()
    found = {action: notice(action, options.data, options.work) for action in options.actions}
    save(__file__, "unseen", rows_of(found))


def notice(action: str, data: Path, work: Path) -> Noticed:
    """Judges the trials that show an action by a model that has not seen it."""
    shows = left_out = left_out_for(action, data)
    if action in SHARED:
        left_out = next(fold for fold in FOLDS if {*shows} <= {*fold})
        folder = train_without(left_out, MODEL, data, work)
    else:
        folder = train_like(MODEL, shows, data, work / f"{MODEL}-without-{action}" / "1", seed=0)
    judge, known, noticed = Judge(folder), known_without(left_out, data), Noticed()
    for path in files_of(tuple(source for source in shows if source in TRIALS), data):
        recording = read_recording(path)
        annotation = annotation_of(path).fitted(len(recording.frames))
        noticed.add(action, known, judge.judge(recording, JUDGED_AT), annotation, recording)
    return noticed


def rows_of(found: dict[str, Noticed]) -> dict[str, Numbers]:
    """Of each action and of all."""
    rows: dict[str, Numbers] = {}
    for action, own in found.items():
        rows[f"unseen/{action}/auroc"] = exactly(round(own.auroc(), 3))
        rows |= {f"unseen/{action}/{row}": numbers for row, numbers in _shares(own.delays).items()}
    delays = [delay for own in found.values() for delay in own.delays]
    rows["unseen/auroc"] = spread([own.auroc() for own in found.values()])
    rows |= {f"unseen/{row}": numbers for row, numbers in _shares(delays).items()}
    if any(np.isfinite(delays)):
        rows["unseen/delay_s"] = quartiles([delay for delay in delays if np.isfinite(delay)])
    return rows


def _shares(delays: Sequence[float]) -> dict[str, Numbers]:
    """Detected in time, and at all while the action lasts."""
    if not delays:
        return {}
    return {
        "detected_2s": share([delay <= WITHIN_S for delay in delays]),
        "detected": share([delay < np.inf for delay in delays]),
    }


if __name__ == "__main__":
    main()
