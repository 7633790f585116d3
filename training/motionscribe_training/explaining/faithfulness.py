"""Whether a map tells what the network really uses: it must beat maps that know nothing.

In: a map, and what occlusion says of the same cells. Out: Faithfulness. A map of gradients is compared with drops of
the score, cell by cell; occlusion cannot be its own judge, so its joints are hidden together instead.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.evidence_score import Evidence, Excerpt
from motionscribe_training.explaining.occlusion_map import OcclusionMap, score_drops

RANDOM = 200
"""Random maps: one in 20 of them, 10, are above the limit."""
LEVEL = 95
"""Percentile of the random maps that a map must exceed."""
HIDDEN = 3
"""Joints that are hidden together."""


@dataclass(frozen=True)
class Faithfulness:
    """A number of the map, and what random maps reach."""

    value: float
    """Spearman's correlation with the drops; of an occlusion map the drop in nats, HIDDEN joints hidden."""
    null: float
    """The 95th percentile of the same for random maps."""

    @property
    def explains(self) -> bool:
        """Whether the map may be shown as an explanation."""
        return self.value > self.null


def against_drops(cells: Array, drops: Array, seed: int) -> Faithfulness:
    """Judges a map (J, K) or (K,) by the drops of the same shape.

    Random maps have the same numbers, with whole joints and whole blocks exchanged: a map that merely has one strong
    joint is likely to hit a strong joint's row as a whole, which single cells in random order would not.
    """
    ranks, wanted = (_standard(values.reshape(-1, values.shape[-1])) for values in (cells, drops))
    rng, (rows, columns) = np.random.default_rng(seed), ranks.shape
    null = [float((ranks[rng.permutation(rows)][:, rng.permutation(columns)] * wanted).mean()) for _ in range(RANDOM)]
    return Faithfulness(float((ranks * wanted).mean()), float(np.percentile(null, LEVEL)))


def by_deletion(
    evidence: Evidence, excerpt: Excerpt, cluster: int, found: OcclusionMap, joint_of: NDArray[np.int64], seed: int
) -> Faithfulness:
    """Judges an occlusion map by the drop when its HIDDEN first joints are hidden, not as many random ones."""
    rng = np.random.default_rng(seed)
    size = min(HIDDEN, len(found.joints))
    sets = [found.joints[np.argsort(-found.by_joint, kind="stable")[:size]]]
    sets += [rng.choice(found.joints, size, replace=False) for _ in range(RANDOM)]
    distinct = list({tuple(sorted(chosen.tolist())): None for chosen in sets})
    shape = tuple(excerpt.frames.shape)
    masks = [np.broadcast_to(np.isin(joint_of, chosen), shape) for chosen in distinct]
    drop = dict(zip(distinct, score_drops(evidence, excerpt, cluster, masks).tolist(), strict=True))
    first, *others = (drop[tuple(sorted(chosen.tolist()))] for chosen in sets)
    return Faithfulness(first, float(np.percentile(others, LEVEL)))


def _standard(values: Array) -> Array:
    """Ranks of all values, mean 0 and deviation 1; zeros where they are all equal."""
    ranks = rankdata(values).reshape(values.shape)
    ranks -= ranks.mean()
    spread = float(ranks.std())
    return np.asarray(ranks / spread if spread else ranks)
