"""From evidence to the embedding of a moment, and to better embeddings of the moments before it.

What a motion is shows best when it is centred in the evidence, but the evidence about the newest moment only trails.
So each window answers for the last L + 1 moments with linear maps (`students`) that were fitted to predict the
centred embedding from trailing evidence: little is known of the newest moment, most of the one L moments ago.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_server.session.evidence import Evidence
from motionscribe_server.session.model import ServedModel


class Embedding:
    """Evidence of one stream, for the model's students."""

    def __init__(self, model: ServedModel) -> None:
        self._model = model
        self._evidence = Evidence(model.motion, model.spans, model.manifest.stride)
        self._seen = 0  # moments since the restart, L + 1 at most

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._evidence.restart()
        self._seen = 0

    @classmethod
    def estimate_many(
        cls, embeddings: Sequence["Embedding"], frames: NDArray[np.floating], projected: NDArray[np.floating]
    ) -> list[Array]:
        """A moment's frames (s, n, F) and projected states (s, M, P) to estimates of the newest moments, oldest first.

        They are (l, d) for each of s streams, l = L + 1 once that many moments were seen since the restart.
        """
        first: Embedding = embeddings[0]
        model = first._model
        evidence = Evidence.observe_many([*map(cls._get_evidence, embeddings)], frames, projected) - model.evidence_mean
        # one product for each stream, not one for all: its last bits would depend on who else is there
        students = evidence.astype(np.float32)[:, None, None] @ model.students  # (s, L + 1, 1, d)
        estimates = (students[:, :, 0] + model.embedding_mean)[:, ::-1]
        return [cls._take(embedding, own) for embedding, own in zip(embeddings, estimates, strict=True)]

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"evidence": self._evidence.state(), "seen": self._seen}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._evidence.restore(state["evidence"])
        self._seen = state["seen"]

    def _get_evidence(self) -> Evidence:
        return self._evidence

    def _take(self, estimates: Array) -> Array:
        """Picks from estimates (L + 1, d) those of moments that were there."""
        self._seen = min(self._seen + 1, len(estimates))
        return estimates[len(estimates) - self._seen :]
