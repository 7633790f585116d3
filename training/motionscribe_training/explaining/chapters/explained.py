"""What all chapters are made of: a model, its network in torch, and recordings that it labelled."""

from dataclasses import dataclass
from pathlib import Path

from motionscribe_server.session import ServedModel
from motionscribe_training.explaining.common_clusters import Common
from motionscribe_training.explaining.evidence_score import Evidence
from motionscribe_training.explaining.network import untrained
from motionscribe_training.network.seq2seq import Seq2Seq

CONTROLS = 3
"""Untrained networks."""


@dataclass(frozen=True, eq=False)
class Explained:
    """What the chapters are made of."""

    model: ServedModel
    network: Seq2Seq
    common: Common
    """The recordings, with clusters in common."""
    evidence: Evidence
    seed: int
    folder: Path
    """Of the report."""

    @property
    def steps(self) -> int:
        """M, the decoder's."""
        return self.model.manifest.decoder_steps

    def called(self, cluster: int) -> str:
        """A cluster for people."""
        name = self.common.names.get(cluster, "")
        return f"cluster {cluster} “{name}”" if name and name != str(cluster) else f"cluster {cluster}"


def fresh_networks(explained: Explained) -> list[Seq2Seq]:
    """The untrained ones that stand beside the network."""
    return [untrained(explained.network, explained.seed + number) for number in range(CONTROLS)]
