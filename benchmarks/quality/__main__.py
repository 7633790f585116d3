"""Live labels against offline references and peers, blind: `python -m benchmarks.quality`.

Everything that labels a recording was learnt from other recordings: each trial of CMU subject 86 is left out once, with
three seeds of the network. The number of actions is not given unless a row says so. `live`: through the server's own
Session, final labels after a latency, 0 being the labels as first shown; penalty and radius of each trial are those
that were best on the other trials (nested). `fixed`: the shipped settings. `cold`: without the clusters of other
recordings; `motion`: without the decoder states. Value is the mean over recordings and seeds, low and high the least
and the most of a seed's mean over recordings, n how many recordings and seeds there were.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from benchmarks.blind.folds import TRIALS
from benchmarks.provisional import calibration
from benchmarks.quality.four_channels import four_channels
from benchmarks.quality.left_out import SEEDS, Without, left_out
from benchmarks.quality.protocols import OTHERS, Cell, Scores, live, offline, peers, published
from benchmarks.quality.watch import Watched
from benchmarks.spread import spread

LATENCIES = (0.5, 1.0, 2.0, 3.0)
SHIPPED = (7.0, 0.6)
CELLS = ((6.0, 0.6), SHIPPED, (7.0, 0.65), (8.0, 0.65))
COMMAND = "python -m benchmarks.quality"
SHOWN = ("accuracy", "ari", "f1_50", "boundary_f1", "delay_median_s", "never_found", "segments_per_true", "clusters")
HERE = Path(__file__).parent

Rows = dict[str, dict[int, list[Scores]]]
"""By row and seed, scores of recordings."""


def main() -> None:
    """Fits, replays, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data.resolve()
    pool = Parallel(n_jobs=os.cpu_count())
    pool(delayed(left_out)(data, name, seed) for seed in SEEDS for name in (*TRIALS, OTHERS[0]))  # trains
    rows: Rows = {}
    live_rows(rows, data, pool)
    offline_rows(rows, data, pool)
    jobs = [(seed, name) for seed in SEEDS for name in TRIALS]
    for protocol in (published, peers):
        found = pool(delayed(protocol)(data, name, seed) for seed, name in jobs)
        for (seed, _), scores in zip(jobs, found, strict=True):
            for row, score in scores.items():
                rows.setdefault(f"{protocol.__name__}/{row}", {}).setdefault(seed, []).append(score)
    for row, scores in four_channels(data).items():
        rows[row] = {0: scores}
    show(rows)
    write(rows)


def live_rows(rows: Rows, data: Path, pool: Parallel) -> None:
    """Of the Session."""
    plain: Without = ""
    jobs = [(n, seed, s, cell, plain) for n in TRIALS for seed in SEEDS for s in LATENCIES for cell in CELLS]
    jobs += [(n, seed, s, SHIPPED, "clusters") for n in TRIALS for seed in SEEDS for s in LATENCIES]
    jobs += [(n, seed, s, SHIPPED, "states") for n in (*TRIALS, *OTHERS) for seed in SEEDS for s in LATENCIES]
    jobs += [(n, seed, s, SHIPPED, plain) for n in OTHERS for seed in SEEDS for s in LATENCIES]
    seen = dict(zip(jobs, pool(delayed(live)(data, *job) for job in jobs), strict=True))
    for latency in (0.0, *LATENCIES):

        def scores(name: str, seed: int, cell: Cell, without: Without = "", latency: float = latency) -> Scores:
            watched: Watched = seen[name, seed, latency or LATENCIES[0], cell, without]
            return watched.final if latency else watched.first

        best = best_elsewhere({(n, cell): [scores(n, s, cell) for s in SEEDS] for n in TRIALS for cell in CELLS})
        for seed in SEEDS:
            found = {
                "live": [scores(n, seed, best[n]) for n in TRIALS],
                "fixed": [scores(n, seed, SHIPPED) for n in TRIALS],
                "cold": [scores(n, seed, SHIPPED, "clusters") for n in TRIALS],
                "motion": [scores(n, seed, SHIPPED, "states") for n in TRIALS],
                "cross_person": [scores(n, seed, SHIPPED) for n in OTHERS],
                "cross_person_motion": [scores(n, seed, SHIPPED, "states") for n in OTHERS],
            }
            for row, score in found.items():
                rows.setdefault(f"{row}/{latency:g}", {})[seed] = score
    rows["stability/1"] = {
        seed: [calibration(seen[n, seed, 1.0, SHIPPED, ""].stability for n in TRIALS)] for seed in SEEDS
    }


def offline_rows(rows: Rows, data: Path, pool: Parallel) -> None:
    """Of the whole recording at once."""
    withouts: list[tuple[str, Without]] = [("blind_offline", ""), ("blind_offline_motion", "states")]
    for row, without in withouts:
        jobs = [(seed, name) for seed in SEEDS for name in TRIALS]
        found = pool(delayed(offline)(data, (name,), seed, CELLS, without) for seed, name in jobs)
        whole = {(seed, *key): scores for (seed, _), x in zip(jobs, found, strict=True) for key, scores in x.items()}
        for kind, which in ((row, 0), (f"{row}_number_given", 1)):
            best = best_elsewhere({(n, c): [whole[s, n, c][which] for s in SEEDS] for n in TRIALS for c in CELLS})
            rows[kind] = {seed: [whole[seed, n, best[n]][which] for n in TRIALS] for seed in SEEDS}


def best_elsewhere(scores: dict[tuple[str, Cell], list[Scores]]) -> dict[str, Cell]:
    """For each trial the cell that was best on the others, all seeds: accuracy, and half of the boundary F1."""

    def worth(name: str, cell: Cell) -> float:
        others = [x for n in TRIALS if n != name for x in scores[n, cell]]
        return float(np.mean([x["accuracy"] + 0.5 * x["boundary_f1"] for x in others]))

    return {name: max(CELLS, key=lambda cell: worth(name, cell)) for name in TRIALS}


def show(rows: Rows) -> None:
    """Means over recordings and seeds."""
    print(" ".join([f"{'row':34}", *(f"{name[:9]:>9}" for name in SHOWN)]))
    for row, seeds in rows.items():
        cells = [[x[name] for found in seeds.values() for x in found if name in x] for name in SHOWN]
        print(" ".join([f"{row:34}", *(f"{np.mean(c):9.3f}" if c else f"{'-':>9}" for c in cells)]))


def write(rows: Rows) -> None:
    """results.json beside this file."""
    results: dict[str, object] = {"command": COMMAND}
    for row, seeds in rows.items():
        for metric in dict.fromkeys(metric for found in seeds.values() for x in found for metric in x):
            known = [[x[metric] for x in found if metric in x] for found in seeds.values()]
            whole = spread([float(np.mean(values)) for values in known])
            results[f"{row}/{metric}"] = {**whole, "n": sum(len(values) for values in known)}
    (HERE / "results.json").write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
