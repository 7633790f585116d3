"""Are faults found? `python -m benchmarks.anomaly.faults`.

Faults of three seconds are put into recordings of CMU subject 86 and of mocap6 (motionscribe_training/faults), which a
session of the body model then sees, and one of exponential maps; three folds: neither network nor constants have seen a
recording. hits.py says what counts. Baselines (baselines.py) see the same moments of the same recordings, and may give
as many false alarms an hour as our kinds of anomalies together. Prints a table and puts its rows into results.json
beside this file; `low` and `high` of shares are exact intervals of 95 % as if faults were independent.
"""

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.anomaly.baselines import BASELINES, Calm, Scorer, calibrate
from benchmarks.anomaly.folds import FOLDS, JUDGED_AT, KINDS, MODELS, Judge, Judged, files_of, train_without
from benchmarks.anomaly.hits import Found, rows_of
from benchmarks.blind.folds import recordings_without, singles_without
from benchmarks.results import save
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_training.faults.inject import Injected, inject
from motionscribe_training.faults.kind import Kind
from motionscribe_training.faults.site import find_site

FAULTS = (Kind.SWAP, Kind.FREEZE, Kind.DRIFT, Kind.JUMP, Kind.DROPOUT, Kind.LIMP, Kind.TREMOR)
DRAWS = 4
FAULT_S, EARLIEST_S, LATEST_S = 3.0, 8.0, 4.0
OURS = ""


def main() -> None:
    """Trains, judges, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anomaly"), help="where the models are kept")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="NAME")
    parser.add_argument("--draws", type=int, default=DRAWS, metavar="N", help="faults of each kind in a recording")
    options = parser.parse_args()
    for name in options.models:
        found = {judge: {str(kind): Found() for kind in FAULTS} for judge in (OURS, *BASELINES)}
        for left_out in FOLDS:
            judge = Judge(train_without(left_out, name, options.data, options.work))
            baselines = fit_baselines(judge, learnt_from(name, left_out, options.data))
            for path in files_of(left_out, options.data):
                recording = read_recording(path)
                for kind, fault in injected(recording, options.draws):
                    ours = judge.judge(fault.recording, JUDGED_AT)
                    for baseline, judged in [(OURS, ours), *judged_by(baselines, ours)]:
                        found[baseline][kind].add(fault, judged, recording.skeleton.rate_hz)
        prefix = "faults" if name == MODELS[0] else f"faults_{name}"
        rows = {f"{prefix}/{row}": numbers for row, numbers in rows_of(found[OURS]).items()}
        for baseline in BASELINES:
            of_all = {row: numbers for row, numbers in rows_of(found[baseline]).items() if row.startswith("all/")}
            rows |= {f"{prefix}/{baseline}/{row.removeprefix('all/')}": numbers for row, numbers in of_all.items()}
        save(__file__, prefix, rows)


def learnt_from(name: str, left_out: tuple[str, ...], data: Path) -> list[Path]:
    """The recordings that a fold's model was trained on, but for copies of them."""
    singles = singles_without(name, left_out, data).values()
    return recordings_without(left_out, data) + [path for paths in singles for path in paths]


def fit_baselines(judge: Judge, paths: Iterable[Path]) -> dict[str, Scorer]:
    """All of them, fitted to normal motion as the model's sessions see it."""
    motion = []
    for path in paths:
        recording = read_recording(path)
        judged = judge.judge(recording, JUDGED_AT)
        if len(judged.ends_s):
            motion.append(Calm(judged.seen, judge.fine(recording, judged)))
    return {name: calibrate(fit, motion, judge.model.moment_s) for name, fit in BASELINES.items()}


def judged_by(baselines: dict[str, Scorer], ours: Judged) -> Iterable[tuple[str, Judged]]:
    """What each says of moments that a session judged. A budget is of each of our kinds, and theirs of all together."""
    for name, rates in baselines.items():
        yield name, replace(ours, rates=rates(ours.seen)[:, None] / len(KINDS), anomalies=[])


def injected(recording: Recording, draws: int) -> Iterable[tuple[str, Injected]]:
    """So many faults of each kind, where there is room for one that shows, each with the name of its kind."""
    rate_hz = recording.skeleton.rate_hz
    length, earliest = round(FAULT_S * rate_hz), round(EARLIEST_S * rate_hz)
    for number, kind in enumerate(FAULTS):
        for draw in range(draws):
            rng = np.random.default_rng([number, draw, *recording.name.encode()])
            latest = len(recording.frames) - round(LATEST_S * rate_hz)
            site = find_site(recording, kind, length, rng, earliest, latest)
            if site is not None:
                yield str(kind), inject(recording, kind, site.start, site.end, rng, site.joint)


if __name__ == "__main__":
    main()
