"""The segments of which a model was least sure: the nearest to another cluster, and those that were relabelled most.

In: what was watched of recordings, with the clusters of each stream as they are. Out: Failure rows, the worst first,
with what each was confused with, and, where there is an annotation, what it truly was. A row may be right all the same:
the annotation says so.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.clustering import ClusterState
from motionscribe_training.explaining.watched import Piece, Watched

MOST = 10
"""Rows of each kind: as many as anyone looks at."""


@dataclass(frozen=True)
class Failure:
    """One segment of one label."""

    recording: str
    piece: Piece
    start_s: float
    """Since the first moment of what was watched."""
    end_s: float
    why: Literal["margin", "revisions"]
    """What it is among the worst by."""
    cluster: int
    name: str
    """Of the cluster, "" for none."""
    margin: float
    """Median over its moments of how much farther the next centre was than the nearest, in embedding units."""
    revisions: float
    """Mean over its moments of how often a label changed before it was final."""
    confused_with: int
    """The cluster whose centre is nearest to its mean, but for its own; 0 where there is no other."""
    confused_name: str
    action: str | None
    """What most of it truly was, "" for nothing; None where there is no annotation."""
    usual_action: str | None
    """What most moments of its cluster in this recording were; another one than `action` says that it is wrong."""

    @property
    def wrong(self) -> bool | None:
        """Whether it is of another action than the rest of its cluster; None where nobody knows."""
        return self.action != self.usual_action if self.action and self.usual_action else None


def failures(watched: Sequence[Watched], most: int = MOST) -> list[Failure]:
    """At most `most` segments of least margin, then at most `most` of those that were revised at all."""
    rows = [_row(part, piece) for part in watched for piece in part.labelled()]
    sure = sorted((row for row in rows if np.isfinite(row.margin)), key=lambda row: row.margin)
    changed = sorted((row for row in rows if row.revisions > 0), key=lambda row: -row.revisions)
    return [*sure[:most], *(_because_of_revisions(row) for row in changed[:most])]


def _row(part: Watched, piece: Piece) -> Failure:
    cluster, own = int(piece.label), slice(piece.start, piece.end)
    names = {state.id: state.name for state in part.states}
    other = _next_nearest(part.embeddings[own].mean(axis=0), cluster, part.states)
    origin_us, (start_us, end_us) = int(part.times_us[0]), part.span_us(piece)
    return Failure(
        recording=part.name,
        piece=piece,
        start_s=(start_us - origin_us) / 1e6,
        end_s=(end_us - origin_us) / 1e6,
        why="margin",
        cluster=cluster,
        name=names.get(cluster, ""),
        margin=float(np.median(part.margins[own])),
        revisions=float(part.revisions[own].mean()),
        confused_with=other,
        confused_name=names.get(other, ""),
        action=_most(part.actions[own]) if part.actions else None,
        usual_action=_most([part.actions[i] for i in np.flatnonzero(part.clusters == cluster)])
        if part.actions
        else None,
    )


def _because_of_revisions(row: Failure) -> Failure:
    return Failure(**{**vars(row), "why": "revisions"})


def _next_nearest(point: Array, cluster: int, states: Sequence[ClusterState]) -> int:
    """The live cluster but `cluster` whose centre is nearest."""
    others = [state for state in states if not state.merged_into and state.weight and state.id != cluster]
    return min(others, key=lambda state: float(np.linalg.norm(state.centre - point))).id if others else 0


def _most(actions: Sequence[str]) -> str:
    """The action of most moments, "" where none has one; of equals the first."""
    known = Counter(action for action in actions if action)
    return known.most_common(1)[0][0] if known else ""
