"""A small network and motion that it never saw, for tests: 3 joints of 2 features, then 2 of the root's."""

import numpy as np
import torch

from motionscribe_models.arrays import Single
from motionscribe_training.explaining.evidence_score import Evidence, Excerpt, evidence_of
from motionscribe_training.explaining.watched import Piece, Watched
from motionscribe_training.network.seq2seq import Seq2Seq

STRIDE, STEPS = 3, 2
JOINT_OF = np.array([1, 1, 2, 2, 3, 3, 0, 0])
RATES = 2
SECOND = Piece(20, 40, "2")
"""Of two_motions."""


def made_network(seed: int, hidden: int = 12) -> Seq2Seq:
    """With weights large enough that gates move, and a PCA onto 6 directions."""
    torch.manual_seed(seed)
    network = Seq2Seq(len(JOINT_OF), hidden)
    with torch.no_grad():
        for weight in network.parameters():
            weight.normal_(0, 0.3)
    network.pca_mean = 0.1 * torch.randn(hidden)
    network.pca_components = torch.linalg.qr(torch.randn(hidden, 6))[0].T.contiguous()
    return network.eval()


def made_watched(features: Single, clusters: list[int], name: str = "made") -> Watched:
    """Of features (n * STRIDE, F) with these final labels (n,)."""
    n = len(clusters)
    return Watched(
        name=name,
        stride=STRIDE,
        features=features,
        places=None,
        times_us=np.arange(n) * 100_000,
        end_us=n * 100_000,
        embeddings=np.zeros((n, 2)),
        clusters=np.array(clusters),
        margins=np.ones(n),
        revisions=np.zeros(n, np.int64),
        actions=None,
        states=(),
    )


def two_motions(seed: int, moments: int = 20, shifted: int | None = None) -> Watched:
    """Cluster 1, then cluster 2 with all features shifted, then cluster 1 again; each `moments` long.

    Where a joint is given, `shifted`, it is shifted for certain, and by more than the others.
    """
    rng = np.random.default_rng(seed)
    clusters = [1] * moments + [2] * moments + [1] * moments
    shift = rng.standard_normal(len(JOINT_OF))
    if shifted is not None:
        shift = np.where(shifted == JOINT_OF, 2 * np.sign(shift), shift)
    frames = 0.5 * rng.standard_normal((len(clusters) * STRIDE, len(JOINT_OF)))
    frames = (frames[:-2] + frames[1:-1] + frames[2:]) / 3  # some slowness
    frames = np.vstack([frames, frames[-2:]]) + np.outer(np.repeat(np.array(clusters) == 2, STRIDE), shift)
    return made_watched(frames.astype(np.float32), clusters)


def made_evidence(seed: int) -> tuple[Evidence, Excerpt]:
    """In float64, and the second motion."""
    watched = two_motions(seed)
    evidence = evidence_of(made_network(seed).double(), [watched], STEPS)
    return evidence, evidence.excerpt(watched, SECOND)
