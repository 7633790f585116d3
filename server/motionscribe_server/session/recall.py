"""The newest moments of a stream as the network saw them, and its newest segments: what an explanation begins with.

In: moments, and the events that came of them. Out: a segment with the frames before it, for explanation.py. It holds
RECALLED_S of motion and is not part of a snapshot: what came before a stream went on from one is not recalled.
"""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_proto.events import Event, Label, SegmentEnded, SegmentStarted
from motionscribe_server.errors import NotFoundError
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.span import Span

RECALLED_S = 20.0
CONTEXT_S = 5.0
"""Before a segment: the encoder of the shipped models forgets in 4.6 to 5.1 s, their evidence spans 2.5 s."""
LONGEST_S = 6.0
"""Of a segment, its end; what is longer shows the same all along."""


@dataclass(frozen=True, eq=False)
class Recalled:
    """A segment of a stream, with what came before and after it and the clusters of the stream."""

    segment: int
    cluster: int
    """What stands for its label now. It may be gone, where its segments turned out to be of others."""
    name: str
    features: NDArray[np.float32]
    """(m, F) frames of all moments, one after another."""
    lengths: NDArray[np.int64]
    """(n,) frames of each moment."""
    starts_us: NDArray[np.int64]
    """(n,) when each begins."""
    first: int
    """The first moment of the segment."""
    last: int
    """The moment after its last."""
    end_us: int
    """The end of the part of the segment that is recalled."""
    ids: NDArray[np.int64]
    """(c,) clusters that stand for themselves."""
    names: tuple[str, ...]
    """(c,) empty for none."""
    centres: Array
    """(c, d)"""


class Recall:
    """The moments since the last gap, RECALLED_S at most, and the segments that lie in them."""

    def __init__(self, moment_s: float, revisions: int) -> None:
        """The embedding of a moment is settled after `revisions` more."""
        self._moment_s = moment_s
        self._revisions = revisions
        self._ended = False
        self._final_us = 0
        self._moments: deque[tuple[Span, NDArray[np.float32]]] = deque(maxlen=round(RECALLED_S / moment_s))
        self._segments: dict[int, SegmentStarted | SegmentEnded] = {}

    def add(self, span: Span, frames: NDArray[np.float32]) -> None:
        """One more moment, of frames (n, F)."""
        if self._ended:
            self._moments.clear()
            self._segments.clear()
            self._ended = False
        self._moments.append((span, frames))

    def note(self, events: Iterable[Event]) -> None:
        """What came of the moments so far."""
        for event in events:
            if isinstance(event, SegmentStarted | SegmentEnded) and event.cluster:
                self._segments[event.segment] = event
            elif isinstance(event, Label) and event.final:
                self._final_us = event.end_us
        earliest = self._moments[0][0].start_us if self._moments else 0
        for number, event in list(self._segments.items()):
            if isinstance(event, SegmentEnded) and event.end_us <= earliest:
                del self._segments[number]

    def end(self) -> None:
        """The timeline ends here; what came before is forgotten as soon as another one begins."""
        self._ended = True

    def recall(self, segment: int, clusters: Iterable[ClusterState], resolve: Callable[[int], int]) -> Recalled:
        """A segment by its number, 0 for the newest. Raises NotFoundError for one that is not recalled any more.

        `resolve` says which cluster stands for another one, 0 where it is gone.
        """
        number = segment or max(self._segments, default=0)
        if number not in self._segments:
            there = ", ".join(map(str, sorted(self._segments))) or "(there are none)"
            raise NotFoundError(
                f"expected a segment of the newest {RECALLED_S:g} s, one of {there}, got {segment or 'none'}"
            )
        event = self._segments[number]
        end_us = event.end_us if isinstance(event, SegmentEnded) else self._final_us
        spans = [span for span, _ in self._moments]
        own = [i for i, span in enumerate(spans) if event.start_us <= span.start_us < end_us]
        if not own:
            raise NotFoundError(f"expected a segment whose motion is recalled, got {number}, from before a restart")
        own = own[-round(LONGEST_S / self._moment_s) :]
        begin = max(0, own[0] - round(CONTEXT_S / self._moment_s))
        chosen = list(self._moments)[begin : own[-1] + 1 + self._revisions]
        standing = [state for state in clusters if not state.merged_into]
        cluster = resolve(event.cluster) or event.cluster
        return Recalled(
            segment=number,
            cluster=cluster,
            name=next((state.name for state in standing if state.id == cluster), event.name),
            features=np.concatenate([frames for _, frames in chosen]),
            lengths=np.array([len(frames) for _, frames in chosen]),
            starts_us=np.array([span.start_us for span, _ in chosen]),
            first=own[0] - begin,
            last=own[-1] + 1 - begin,
            end_us=min(end_us, spans[own[-1]].end_us),
            ids=np.array([state.id for state in standing]),
            names=tuple(state.name for state in standing),
            centres=np.array([state.centre for state in standing]),
        )
