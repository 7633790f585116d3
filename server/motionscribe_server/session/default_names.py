"""Names that clusters have by themselves while nobody gives them one: what nearly all of their motion plainly is.

In: the features of each moment, and its cluster when it is final; models of the canonical body alone. Out: the name of
a cluster, or none. Only moments whose second of motion lies in one segment are judged (body/actions.py). A name lasts
as long as it holds: it may come, and go again. What users call a cluster is not known here.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.body.actions import ACTIONS, WINDOW_S, action_of
from motionscribe_models.state import State
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.model import ServedModel

LEAST_S = 3.0
"""Of judged motion, before a cluster has a name."""
SHARE = 0.9
"""Of the judged moments that must agree. On trials 01, 03 and 07 of CMU subject 86, .8 and .9 name 73 % of the walking,
.95 names 38 %, and none of the three calls anything else a walk."""


@dataclass(frozen=True, slots=True)
class Name:
    """What a cluster is called."""

    text: str
    """Empty for none."""
    guessed: bool = False
    """It is one of this file, and nobody gave it."""


class DefaultNames:
    """The tallies of one stream. It knows the names of the model, and those at the end of an earlier session."""

    def __init__(self, model: ServedModel, stored: Sequence[ClusterState]) -> None:
        self._of_bodies = model.manifest.skeleton.representation == "body"
        self._window = round(WINDOW_S * model.manifest.rate_hz)
        self._least = LEAST_S / model.moment_s
        self._width = model.manifest.features
        self._before = model.names | {state.id: state.name for state in stored if state.guessed}
        self._tallies: dict[int, list[int]] = {}  # by cluster, judged moments of each action and of none
        self._cluster = 0  # of the open final segment
        self._frames = self._nothing()  # its newest

    @property
    def wants_frames(self) -> bool:
        """Whether it looks at any."""
        return self._of_bodies

    def name(self, id: int) -> str:
        """Empty where there is none, or not yet enough to tell."""
        tally = self._tallies.get(id, [0])
        if sum(tally) < self._least:
            return self._before.get(id, "")
        most = int(np.argmax(tally[:-1]))
        return ACTIONS[most] if tally[most] >= SHARE * sum(tally) else ""

    def make_final(self, cluster: int, frames: NDArray[np.float32]) -> None:
        """The oldest moment that was not final, of frames (n, F), is of this cluster."""
        if not self._of_bodies:
            return
        if cluster != self._cluster:
            self._cluster, self._frames = cluster, self._nothing()
        self._frames = np.concatenate([self._frames, frames])[-self._window :]
        if len(self._frames) == self._window:
            tally = self._tallies.setdefault(cluster, [0] * (len(ACTIONS) + 1))
            tally[(*ACTIONS, "").index(action_of(self._frames))] += 1

    def end_segment(self) -> None:
        """A gap: what comes next is another segment."""
        self._cluster, self._frames = 0, self._nothing()

    def merge(self, source: int, target: int) -> None:
        """`source` is part of `target`."""
        gone = self._tallies.get(source)
        if gone is not None:
            kept = self._tallies.get(target, [0] * len(gone))
            self._tallies[target] = [one + other for one, other in zip(gone, kept, strict=True)]

    def split(self, id: int, target: int) -> None:
        """`id` is not part of `target` any more."""
        own, whole = self._tallies.get(id), self._tallies.get(target)
        if own is not None and whole is not None:
            self._tallies[target] = [max(0, all - one) for all, one in zip(whole, own, strict=True)]

    def keep(self, ids: Collection[int]) -> None:
        """Forgets all others."""
        self._tallies = {id: tally for id, tally in self._tallies.items() if id in ids}
        self._before = {id: name for id, name in self._before.items() if id in ids}

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {
            "before": [[id, name] for id, name in self._before.items()],
            "tallies": [[id, *tally] for id, tally in self._tallies.items()],
            "cluster": self._cluster,
            "frames": self._frames.copy(),
        }

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._before = dict(state["before"])
        self._tallies = {id: list(tally) for id, *tally in state["tallies"]}
        self._cluster, self._frames = state["cluster"], state["frames"]

    def _nothing(self) -> NDArray[np.float32]:
        return np.empty((0, self._width), np.float32)
