"""Live labels against offline references and peers, blind: `python -m benchmarks.quality`.

Everything that labels a recording was learnt from other recordings; the number of actions is not given unless a row
says so. `live`: through the server's own Session, final labels after a latency, 0 being the labels as first shown;
penalty and radius of each trial are those that were best on the other trials (nested). `fixed`: the shipped settings.
`cold`: without the clusters of other recordings. Value is the mean over recordings, low and high the worst and best.
"""

import argparse
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.metrics import roc_auc_score

from benchmarks.quality.left_out import left_out
from benchmarks.quality.protocols import OTHERS, TRIALS, Cell, Scores, live, offline, peers
from benchmarks.quality.watch import Watched
from benchmarks.spread import spread

LATENCIES = (0.5, 1.0, 2.0, 3.0)
CELLS = ((5.0, 0.55), (7.0, 0.55), (7.0, 0.65), (9.0, 0.65))
COMMAND = "python -m benchmarks.quality"
SHOWN = ("accuracy", "ari", "f1_50", "boundary_f1", "delay_median_s", "never_found", "segments_per_true", "clusters")
HERE = Path(__file__).parent


def main() -> None:
    """Fits, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data.resolve()
    pool = Parallel(n_jobs=os.cpu_count())
    for name in (*TRIALS, *OTHERS):
        left_out(data, name)  # trains what is not there, one after the other
    jobs = [(n, s, cell, False) for n in TRIALS for s in LATENCIES for cell in (*CELLS, None)]
    jobs += [(n, s, None, True) for n in TRIALS for s in LATENCIES] + [(n, 1.0, None, False) for n in OTHERS]
    seen = dict(zip(jobs, pool(delayed(live)(data, *job) for job in jobs), strict=True))

    rows: dict[str, list[Scores]] = {}
    for latency in (0.0, *LATENCIES):
        waited = latency or LATENCIES[0]
        watched = {
            (n, cell, cold): seen[n, waited, cell, cold].final if latency else seen[n, waited, cell, cold].first
            for n, s, cell, cold in jobs
            if s == waited and n in TRIALS
        }
        nested = {(n, cell): watched[n, cell, False] for n in TRIALS for cell in CELLS}
        rows[f"live/{latency:g}"] = [nested[n, best_elsewhere(nested, n)] for n in TRIALS]
        rows[f"fixed/{latency:g}"] = [watched[n, None, False] for n in TRIALS]
        rows[f"cold/{latency:g}"] = [watched[n, None, True] for n in TRIALS]
    found_offline = pool(delayed(offline)(data, n, CELLS) for n in TRIALS)
    whole = {(n, cell): found[cell] for n, found in zip(TRIALS, found_offline, strict=True) for cell in CELLS}
    for row, which in (("blind_offline", 0), ("blind_offline_number_given", 1)):
        nested = {key: scores[which] for key, scores in whole.items()}
        rows[row] = [nested[n, best_elsewhere(nested, n)] for n in TRIALS]
    rows["cross_person/0"] = [seen[n, 1.0, None, False].first for n in OTHERS]
    rows["cross_person/1"] = [seen[n, 1.0, None, False].final for n in OTHERS]
    for found in pool(delayed(peers)(data, n) for n in TRIALS):
        for peer, scores in found.items():
            rows.setdefault(f"peers/{peer}", []).append(scores)
    rows["stability/1"] = [calibration(seen[n, 1.0, None, False] for n in TRIALS)]
    show(rows)
    write(rows)


def best_elsewhere(scores: dict[tuple[str, Cell], Scores], name: str) -> Cell:
    """The cell that was best on the other trials: accuracy, and half of the boundary F1."""

    def worth(cell: Cell) -> float:
        others = [scores[n, cell] for n in TRIALS if n != name]
        return float(np.mean([s["accuracy"] + 0.5 * s["boundary_f1"] for s in others]))

    return max(CELLS, key=worth)


def calibration(watched: Iterable[Watched]) -> Scores:
    """Of the stability of provisional labels: area under the ROC curve, expected calibration error of ten bins."""
    told = np.concatenate([w.stability for w in watched])
    bins = np.minimum((told[:, 0] * 10).astype(int), 9)
    gaps = [abs(told[bins == b].mean(axis=0) @ [1, -1]) * (bins == b).mean() for b in np.unique(bins)]
    return {"auroc": float(roc_auc_score(told[:, 1], told[:, 0])), "calibration_error": float(sum(gaps))}


def show(rows: dict[str, list[Scores]]) -> None:
    """Means over recordings."""
    print(" ".join([f"{'row':28}", *(f"{name[:9]:>9}" for name in SHOWN)]))
    for row, found in rows.items():
        cells = [[scores[name] for scores in found if name in scores] for name in SHOWN]
        print(" ".join([f"{row:28}", *(f"{np.mean(c):9.3f}" if c else f"{'-':>9}" for c in cells)]))
    print({name: round(value, 3) for name, value in rows["stability/1"][0].items()})


def write(rows: dict[str, list[Scores]]) -> None:
    """results.json beside this file."""
    results: dict[str, object] = {"command": COMMAND}
    for row, found in rows.items():
        for metric in dict.fromkeys(metric for scores in found for metric in scores):
            results[f"{row}/{metric}"] = spread([scores[metric] for scores in found if metric in scores])
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
