"""From evidence to the embedding of a moment, and to better embeddings of the moments before it.

What a motion is shows best when it is centred in the evidence, but the evidence about the newest moment only trails.
So each window answers for the last L + 1 moments with linear maps (`students`) that were fitted to predict the
centred embedding from trailing evidence: little is known of the newest moment, most of the one L moments ago.
"""

import numpy as np
from numpy.typing import NDArray

from motionscribe_server.evidence import Evidence
from motionscribe_server.model import ServedModel

Array = NDArray[np.float64]


class Embedding:
    """Evidence of one stream, with the model's students."""

    def __init__(self, model: ServedModel) -> None:
        self._model = model
        self._evidence = Evidence(model.motion, model.spans, model.manifest.stride)
        self._seen = 0

    @property
    def revisions(self) -> int:
        """L: how often a moment's embedding is estimated again."""
        return len(self._model.students) - 1

    def observe(self, features: NDArray[np.floating]) -> None:
        """The next frame (F,)."""
        self._evidence.observe(features)

    def push(self, projected: NDArray[np.floating]) -> Array:
        """Projected states (M, P) of the newest window to estimates of the newest moments, oldest first.

        Of shape (l, d), where l = L + 1 once that many moments were seen since the restart.
        """
        evidence = (self._evidence.push(projected) - self._model.evidence_mean).astype(np.float32)
        self._seen = min(self._seen + 1, self.revisions + 1)
        students, mean = self._model.students[: self._seen], self._model.embedding_mean[: self._seen]
        estimates: Array = evidence @ students + mean
        return estimates[::-1]

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._evidence.restart()
        self._seen = 0
