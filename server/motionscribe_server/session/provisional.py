"""Provisional labels: what the moments that are not final look like now, sent where it is new or has changed.

In: the labelled segments after each moment. Out: Labels that may still change, each with its stability.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.state import State
from motionscribe_proto.events import Label
from motionscribe_server.session.labeller import Labelled
from motionscribe_server.session.span import Span
from motionscribe_server.session.stability import stability, stability_inputs


class ProvisionalLabels:
    """The label that was last sent of each moment that is not final, oldest first."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        """`weights` (INPUTS,) are those of stability.py."""
        self._weights = weights
        self._sent: deque[int] = deque()  # 0 for none

    def add_moment(self) -> None:
        """There is a new moment."""
        self._sent.append(0)

    def drop_moment(self) -> None:
        """The oldest moment is final."""
        self._sent.popleft()

    def update(
        self, labelled: Sequence[Labelled], spans: Sequence[Span], first: int, estimate: Array, unseen: int
    ) -> list[Label]:
        """Labels that are new or changed, and that of the newest moment, as runs.

        `spans` are those of the moments that are not final, which are numbered from `first` on; `estimate` (d,) is the
        embedding of the newest; `unseen` joints are out of sight.
        """
        newest = first + len(spans) - 1
        runs: list[Label] = []
        for shown in labelled:
            for moment in range(max(shown.segment.start, first), shown.segment.end):
                i = moment - first
                if self._sent[i] == shown.cluster and moment != newest:
                    continue
                self._sent[i] = shown.cluster
                span = spans[i]
                inputs = stability_inputs(shown, moment, newest, estimate)
                chance = stability(inputs, self._weights, unseen)
                last = runs[-1] if runs else None
                if last and last.cluster == shown.cluster and last.end_seq == span.start_seq:
                    runs[-1] = replace(last, end_seq=span.end_seq, end_us=span.end_us, stability=chance)
                else:
                    runs.append(
                        Label(span.start_seq, span.end_seq, span.start_us, span.end_us, shown.cluster, chance, False)
                    )
        return runs

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"sent": list(self._sent)}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._sent = deque(state["sent"])
