"""Which layers of a network hold segments of one action together, and whether training has anything to do with it.

In: a network, untrained ones of its shape, and recordings that were watched. Out: one LayerGeometry for each layer in
the order in which a frame passes them. Segments are nodes; how far apart a layer sees them (dtw.py) makes a graph
(nnk.py), and the labels are asked how well they follow it (smoothness.py). Two controls stand beside each number: the
same labels in random order, and the same layer of networks that have learnt nothing. An action has one label in all
recordings; one with a single segment is left out, since nothing could be its neighbour.

What it cannot tell: neighbours in time share a boundary and, in layers behind the encoder, some memory; and segments
of one recording are nearer to each other than to those of others for reasons that are no action. A segment whose action
has only two keeps neighbours of other labels, so that even a perfect layer is not at 0. Segments of one graph are not
independent: the standard error of an advantage is too small, if anything.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.dtw import dtw_distances, window_rows
from motionscribe_training.explaining.layers import INPUT, Layer, layers, with_own_pca
from motionscribe_training.explaining.nnk import gaussian_kernel, nnk_weights, symmetric
from motionscribe_training.explaining.smoothness import Null, by_node, cross_label_mass, permuted, smoothness, vote
from motionscribe_training.explaining.watched import Piece, Watched
from motionscribe_training.network.seq2seq import Seq2Seq

ROUNDING = 1e-9
"""Of few segments the best order is one of few, and the right one may equal the null's end but for rounding."""


class Verdict(StrEnum):
    """What a layer shows of the labels."""

    BOTH = "better than chance and than every untrained network"
    CHANCE = "better than chance, but not than every untrained network"
    NEITHER = "no better than chance"


@dataclass(frozen=True, eq=False)
class LayerGeometry:
    """N segments as one layer sees them."""

    layer: str
    segments: tuple[str, ...]
    """(N,) their labels, in order of recording and time."""
    distances: Array
    """(N, N) path-normalised DTW, units of the layer."""
    smoothness: float
    """tr(Y' L Y) / N, 0 to 1: the share of its weight that a segment has with other labels; 0 is best."""
    null: Null
    """Smoothness of the same labels in random order."""
    untrained: tuple[float, ...]
    """Smoothness of the layer in each untrained network; of the input it is the same."""
    advantage: tuple[float, float]
    """How much smoother than the untrained networks in the mean, and the standard error of that, paired by segment."""
    cross_label_mass: float
    """Share of all weight of the graph between different labels."""
    neighbours: float
    """Neighbours that a segment keeps, mean."""
    vote: float
    """Share of segments whose label its neighbours vote for."""

    @property
    def verdict(self) -> Verdict:
        """Beating means to be smoother: than 97.5 % of random orders, and than every untrained network.

        In the mean it must be by more than two standard errors: seeds differ less than samples of segments do. The
        input, which is the same in all networks, beats chance at most.
        """
        if self.smoothness > self.null.low - ROUNDING:
            return Verdict.NEITHER
        more, error = self.advantage
        beaten = all(self.smoothness < value - ROUNDING for value in self.untrained) and more > 2 * error
        return Verdict.BOTH if beaten else Verdict.CHANCE


def geometry(
    network: Seq2Seq, fresh: Sequence[Seq2Seq], watched: Sequence[Watched], steps: int, seed: int
) -> list[LayerGeometry]:
    """All layers. `fresh` are untrained networks (network.untrained), `steps` the decoder's, `seed` that of the null.

    The PCA of an untrained network is fitted to its own decoder states along `watched`, which favours it a little: that
    of the network has seen its training set. Raises TrainingError for fewer than two actions of two segments.
    """
    pieces = _compared(watched)
    labels = tuple(piece.label for _, piece in pieces)
    numbers = np.unique(labels, return_inverse=True)[1]
    projected = len(network.pca_components)
    own = _distances(network, watched, pieces, steps)
    others = [
        _distances(with_own_pca(one, watched, steps, projected), watched, pieces, steps, INPUT) | {INPUT: own[INPUT]}
        for one in fresh
    ]
    found = []
    for layer, distances in own.items():
        weights = nnk_weights(gaussian_kernel(distances))
        graph = symmetric(weights)
        untrained = [symmetric(nnk_weights(gaussian_kernel(other[layer]))) for other in others]
        trained = by_node(graph, numbers)
        gained = np.mean([by_node(other, numbers) - trained for other in untrained] or [0 * trained], axis=0)
        found.append(
            LayerGeometry(
                layer=layer,
                segments=labels,
                distances=distances,
                smoothness=smoothness(graph, numbers),
                null=permuted(graph, numbers, seed),
                untrained=tuple(smoothness(other, numbers) for other in untrained),
                advantage=(float(gained.mean()), float(gained.std(ddof=1) / len(gained) ** 0.5)),
                cross_label_mass=cross_label_mass(graph, numbers),
                neighbours=float((weights > 0).sum(axis=1).mean()),
                vote=vote(graph, numbers),
            )
        )
    return found


def best(found: Sequence[LayerGeometry]) -> LayerGeometry:
    """The smoothest of the layers behind the input, of equals the first."""
    return min((layer for layer in found if layer.layer != INPUT), key=lambda layer: layer.smoothness)


def _compared(watched: Sequence[Watched]) -> list[tuple[int, Piece]]:
    """Segments with the number of what they are of. Raises TrainingError for fewer than two actions of two."""
    pieces = [(number, piece) for number, part in enumerate(watched) for piece in part.segments()]
    counts = Counter(piece.label for _, piece in pieces)
    kept = [(number, piece) for number, piece in pieces if counts[piece.label] > 1]
    if len({piece.label for _, piece in kept}) < 2:
        raise TrainingError(
            "expected at least two actions of two segments or more to compare, got "
            + (", ".join(f"{label} ({count})" for label, count in counts.items()) or "no segments")
        )
    return kept


def _distances(
    network: Seq2Seq, watched: Sequence[Watched], pieces: list[tuple[int, Piece]], steps: int, *without: str
) -> dict[str, Array]:
    """Layer -> (N, N)."""
    found: list[dict[str, Layer]] = [layers(network, part, steps) for part in watched]
    distances = {}
    for name in found[0]:
        if name in without:
            continue
        per_moment = found[0][name].per_moment
        rows = [found[number][name].rows[p.start * per_moment : p.end * per_moment] for number, p in pieces]
        distances[name] = dtw_distances(rows, *window_rows(watched[0].stride / per_moment))
    return distances
