"""Does separation of states tell when training is done? `python -m benchmarks.explain.separation`.

Networks of 128 units are trained on four trials of CMU subject 86, one for each of SEEDS, and measured every EVERY
iterations on what they never saw: three other trials and mocap6. Separation is scatter between groups of decoder states
over scatter within them. Quality is the share of annotated segments that are nearest to the mean of other segments of
their action. Rows, all `separation/`:

    rank_correlation           Spearman's of the separation in groups of k-means, which needs no labels, with quality,
                               over all checkpoints of all seeds; low and high: of single seeds, the least and the most
    labelled/rank_correlation  the same of the separation of the actions themselves
    trained, untrained/quality quality at the end, and of networks that learnt nothing
    trained, untrained/r2      how well one seed's states are a linear map of another's, on recordings left out

Prints a table and puts its rows into results.json beside this file.
"""

import argparse
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.explain.network import spread
from benchmarks.results import Numbers, save
from motionscribe_models.recordings import read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import ServedModel
from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.explaining.layers import with_own_pca
from motionscribe_training.explaining.network import untrained
from motionscribe_training.explaining.seed_consistency import consistency, states_of
from motionscribe_training.explaining.trained import (
    Correlation,
    Stage,
    rank_correlation,
    separation_against_quality,
    stage_of,
)
from motionscribe_training.explaining.watched import Watched, watch
from motionscribe_training.network.options import TrainOptions
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.threads import limit_threads

LEARNT, HELD = ("01", "03", "07", "09"), ("10", "11", "13")
SEEDS = (0, 1, 2)
ITERATIONS, EVERY = 300, 20
HIDDEN, WINDOW, STEPS, PROJECTED = 128, 48, 4, 32
MODEL = Path(__file__).parents[2] / "models" / "body" / "1"
"""It says how features are made; its network is not used."""


def main() -> None:
    """Trains, measures, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    data = parser.parse_args().data
    bundle = read_bundle(MODEL)
    model, inference = ServedModel(bundle), Inference(bundle, "fp32", (1,))

    def seen(paths: Sequence[Path]) -> list[Watched]:
        found = [watch(model, inference, read_recording(path), find_annotation(path)) for path in paths]
        return [part for parts in found for part in parts]

    options = TrainOptions(
        iterations=ITERATIONS,
        hidden=HIDDEN,
        source_seq_len=WINDOW,
        target_seq_len=STEPS,
        learning_rate=2e-3,
        validate_every=EVERY,
    )
    with limit_threads(1):
        learnt = [part.features for part in seen([data / "sub86" / f"{trial}.mat" for trial in LEARNT])]
        held = seen(
            [data / "sub86" / f"{trial}.mat" for trial in HELD] + sorted((data / "mocap6" / "amc").glob("*.amc"))
        )
        runs, networks = separation_against_quality(learnt, held, options, SEEDS, model.feature_map)
        fresh = [untrained(networks[0], 100 + seed) for seed in SEEDS]
        controls = [stage_of(network, held, STEPS) for network in fresh]
        rows = {
            "separation/rank_correlation": correlation(_against(runs, labelled=False)),
            "separation/labelled/rank_correlation": correlation(_against(runs, labelled=True)),
            "separation/trained/quality": spread([run[-1].quality for run in runs]),
            "separation/untrained/quality": spread([stage.quality for stage in controls]),
            "separation/trained/r2": spread(agreements(networks, held)),
            "separation/untrained/r2": spread(agreements(fresh, held)),
        }
    save(__file__, "separation", rows)


def _against(runs: Sequence[Sequence[Stage]], labelled: bool) -> Correlation:
    separations = [[(stage.pieces if labelled else stage.states).fisher for stage in run] for run in runs]
    return rank_correlation(separations, [[stage.quality for stage in run] for run in runs])


def correlation(found: Correlation) -> Numbers:
    """Of all checkpoints, and the least and the most of single seeds; n of these."""
    within = [rho for rho in found.within if np.isfinite(rho)]
    low, high = (min(within), max(within)) if within else (found.rho, found.rho)
    return {"value": round(found.rho, 3), "low": round(low, 3), "high": round(high, 3), "n": len(found.within)}


def agreements(networks: Sequence[Seq2Seq], watched: Sequence[Watched]) -> list[float]:
    """R2 of a linear map from each network's states to the next one's."""
    own = [with_own_pca(network, watched, STEPS, PROJECTED) for network in networks]
    states = [states_of(network, watched, STEPS) for network in own]
    return [consistency(one, other).r2 for one, other in pairwise(states)]


if __name__ == "__main__":
    main()
