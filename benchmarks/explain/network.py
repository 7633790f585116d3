"""Does training make the layers separate actions, and are maps true? `python -m benchmarks.explain.network`.

For the body, on recordings that a model has not seen: CMU subject 86 and mocap6 in the folds of benchmarks.anomaly, by
models trained without them. Rows:

    geometry/LAYER   smoothness: the share of its edges that a segment has with other actions, 0 is best (geometry.py);
                     null: the same with labels in random order; untrained: of three networks that learnt nothing;
                     advantage: how much smoother than those, paired by segment, low and high two standard errors away.
                     Values are means over the folds by their number of segments, low and high the least and the most.
    maps/KIND        spearman: correlation of a map with what occlusion costs, cell by cell; random: the 95th percentile
                     of maps that know nothing; explains: share of the segments whose map beats it. Median over
                     segments, low and high the quartiles; `maps/spearman` is that of integrated gradients.
    speed/LAYER      half, double: correlation of a layer with itself at that speed; untrained_half, untrained_double.

Prints a table and puts its rows into results.json beside this file.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.anomaly.folds import FOLDS, files_of, train_without
from benchmarks.results import Numbers, quartiles, save
from motionscribe_models.recordings import read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import ServedModel
from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.explaining.common_clusters import in_common
from motionscribe_training.explaining.evidence_score import cluster_of, evidence_of
from motionscribe_training.explaining.faithfulness import Faithfulness
from motionscribe_training.explaining.geometry import LayerGeometry, geometry
from motionscribe_training.explaining.layers import with_own_pca
from motionscribe_training.explaining.network import network_of, untrained
from motionscribe_training.explaining.segment_maps import segment_maps
from motionscribe_training.explaining.speed import layer_invariance
from motionscribe_training.explaining.watched import watch
from motionscribe_training.threads import limit_threads

SEEDS = (0, 1, 2)
"""Of untrained networks."""


def main() -> None:
    """Trains, explains, prints and writes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("runs/anomaly"), help="where the models are kept")
    options = parser.parse_args()
    layers: dict[str, list[LayerGeometry]] = {}
    maps: dict[str, list[Faithfulness]] = {}
    speeds: dict[str, list[float]] = {}
    with limit_threads(1):
        for left_out in FOLDS:
            look(
                train_without(left_out, "body", options.data, options.work),
                left_out,
                options.data,
                layers,
                maps,
                speeds,
            )
    save(__file__, "geometry", {row: own for name, found in layers.items() for row, own in geometry_rows(name, found)})
    rows = {row: own for kind, judged in maps.items() for row, own in map_rows(kind, judged)}
    save(__file__, "maps", {**rows, "maps/spearman": rows["maps/integrated_gradients/spearman"]})
    save(__file__, "speed", {f"speed/{name}": spread(values) for name, values in speeds.items()})


def look(
    folder: Path,
    left_out: tuple[str, ...],
    data: Path,
    layers: dict[str, list[LayerGeometry]],
    maps: dict[str, list[Faithfulness]],
    speeds: dict[str, list[float]],
) -> None:
    """Adds what one fold says."""
    bundle = read_bundle(folder)
    model, inference, network = ServedModel(bundle), Inference(bundle, "fp32", (1,)), network_of(bundle)
    steps, rates = model.manifest.decoder_steps, model.feature_map.rates
    watched = [
        part
        for path in files_of(left_out, data)
        for part in watch(model, inference, read_recording(path), find_annotation(path))
    ]
    common = in_common(watched, model.radius)
    fresh = [untrained(network, seed) for seed in SEEDS]
    for layer in geometry(network, fresh, common.watched, steps, seed=0):
        layers.setdefault(layer.layer.replace(" ", "_"), []).append(layer)
    evidence = evidence_of(network, common.watched, steps)
    for part in common.watched:
        for piece in part.labelled():
            cluster = cluster_of(part, piece)
            if cluster in evidence.clusters:
                found = segment_maps(evidence, part, piece, cluster, model.feature_map.joint_of)
                for kind, own in {**found.joints, **found.layers}.items():
                    maps.setdefault(kind.replace(" ", "_"), []).append(own.faithfulness)
    control = with_own_pca(fresh[0], common.watched, steps, len(network.pca_components))
    for name, one in (("", network), ("untrained_", control)):
        for layer_name, at in layer_invariance(one, common.watched, steps, rates).items():
            for speed, what in ((0.5, "half"), (2.0, "double")):
                speeds.setdefault(f"{layer_name.replace(' ', '_')}/{name}{what}", []).append(at[speed])


def geometry_rows(name: str, found: Sequence[LayerGeometry]) -> list[tuple[str, Numbers]]:
    """Of one layer in all folds."""
    counts = np.array([len(layer.segments) for layer in found])
    shares = counts / counts.sum()

    def mean(values: Sequence[float]) -> Numbers:
        value = float(shares @ np.array(values))
        return {
            "value": round(value, 4),
            "low": round(min(values), 4),
            "high": round(max(values), 4),
            "n": int(counts.sum()),
        }

    gained = float(shares @ np.array([layer.advantage[0] for layer in found]))
    error = float(np.sqrt(np.square(shares * [layer.advantage[1] for layer in found]).sum()))
    advantage = {"value": gained, "low": gained - 2 * error, "high": gained + 2 * error}
    return [
        (f"geometry/{name}/smoothness", mean([layer.smoothness for layer in found])),
        (f"geometry/{name}/null", mean([layer.null.mean for layer in found])),
        (f"geometry/{name}/untrained", mean([float(np.mean(layer.untrained)) for layer in found])),
        (
            f"geometry/{name}/advantage",
            {**{key: round(value, 4) for key, value in advantage.items()}, "n": int(counts.sum())},
        ),
        (f"geometry/{name}/vote", mean([layer.vote for layer in found])),
    ]


def map_rows(kind: str, judged: Sequence[Faithfulness]) -> list[tuple[str, Numbers]]:
    """Of one kind of map in all segments."""
    explains = float(np.mean([one.explains for one in judged]))
    return [
        (f"maps/{kind}/spearman", quartiles([one.value for one in judged])),
        (f"maps/{kind}/random", quartiles([one.null for one in judged])),
        (f"maps/{kind}/explains", {"value": explains, "low": explains, "high": explains, "n": len(judged)}),
    ]


def spread(values: Sequence[float]) -> Numbers:
    """Mean over the folds, the least and the most."""
    return {
        "value": round(float(np.mean(values)), 4),
        "low": round(min(values), 4),
        "high": round(max(values), 4),
        "n": len(values),
    }


if __name__ == "__main__":
    main()
