"""A recording as a stream of a model saw and labelled it: what everything in this package explains.

In: a model and a recording. Out: Watched, arrays on one clock: `stride` frames of features for each moment, its
embedding and labels. A gap ends one and begins another, since the encoder starts anew there.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from motionscribe_models.arrays import Array, Single
from motionscribe_models.errors import LayoutError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import Recording
from motionscribe_proto.events import Event, Label
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import Driver, Moment, ServedModel, Session, SessionOptions
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.replay import events_of
from motionscribe_training.data.annotations import Annotation
from motionscribe_training.evaluation.evaluate import in_layout_of
from motionscribe_training.evaluation.metrics import Labels, runs
from motionscribe_training.evaluation.unseen_joints import filled


@dataclass(frozen=True)
class Piece:
    """Moments [start, end) of a Watched that have one label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, eq=False)
class Watched:
    """n moments without a gap between them."""

    name: str
    """Of the recording; of one with gaps also which part."""
    stride: int
    features: Single
    """(n * stride, F) raw features; those of moment i are the rows from i * stride on."""
    places: Array | None
    """(n * stride, J, 3) where the skeleton's joints were, filled where they were not seen; None where joints have no
    place."""
    times_us: Labels
    """(n,) when each moment begins, source time."""
    end_us: int
    embeddings: Array
    """(n, d) settled."""
    clusters: Labels
    """(n,) final labels; 0 where a stream was too short for one."""
    margins: Array
    """(n,) how much farther the next centre is than the nearest, in embedding units."""
    revisions: Labels
    """(n,) how often the label changed before it was final."""
    actions: tuple[str, ...] | None
    """(n,) what an annotator says, "" for nothing; None where there is no annotation."""
    states: tuple[ClusterState, ...]
    """The clusters of the stream at its end."""

    @property
    def moments(self) -> int:
        """How many."""
        return len(self.clusters)

    def frames(self, piece: Piece) -> Single:
        """(k, F) features of a piece."""
        return self.features[piece.start * self.stride : piece.end * self.stride]

    def span_us(self, piece: Piece) -> tuple[int, int]:
        """When a piece begins and ends, source time."""
        end_us = self.times_us[piece.end] if piece.end < self.moments else self.end_us
        return int(self.times_us[piece.start]), int(end_us)

    def segments(self) -> list[Piece]:
        """Runs of one action where there is an annotation, else of one cluster; what has no label is left out."""
        if self.actions is None:
            return self.labelled()
        cuts = [i for i in range(1, self.moments) if self.actions[i] != self.actions[i - 1]]
        pieces = [Piece(a, b, self.actions[a]) for a, b in pairwise([0, *cuts, self.moments])]
        return [piece for piece in pieces if piece.label]

    def labelled(self) -> list[Piece]:
        """Runs of one cluster, each under its number."""
        return [Piece(a, b, str(cluster)) for a, b, cluster in runs(self.clusters) if cluster > 0]


def watch(
    model: ServedModel, inference: Inference, recording: Recording, annotation: Annotation | None = None
) -> list[Watched]:
    """The parts of a recording between gaps, of which a stream made at least one moment. Raises TrainingError."""
    recording = in_layout_of(model, recording)
    stride, frames = model.manifest.stride, len(recording.frames)
    options = SessionOptions(rate_hz=recording.skeleton.rate_hz, provisional=True)
    moments: list[Moment] = []
    session = Session(model, options, on_moment=moments.append)
    events = events_of(Driver(session, inference), recording)
    final, revisions = _labels(events, frames)
    fitted = annotation.fitted(frames) if annotation else None
    action_at = fitted.labels(frames) if fitted else np.full(frames, -1)
    states = tuple(session.clusters())
    parts = _parts(moments, stride)
    watched = []
    for number, part in enumerate(parts, 1):
        seqs = np.array([(moment.span.start_seq + moment.span.end_seq) // 2 - 1 for moment in part])
        times = np.array([moment.span.start_us for moment in part])
        settled = _settled(part)
        watched.append(
            Watched(
                name=recording.name if len(parts) == 1 else f"{recording.name} part {number}",
                stride=stride,
                features=np.concatenate([moment.frames[-stride:] for moment in part]),
                places=_places(recording, part, stride),
                times_us=times,
                end_us=part[-1].span.end_us,
                embeddings=settled,
                clusters=np.maximum(final[seqs], 0),
                margins=_margins(settled, states),
                revisions=revisions[seqs],
                actions=tuple(fitted.names[i] if i >= 0 else "" for i in action_at[seqs]) if fitted else None,
                states=states,
            )
        )
    return watched


def _parts(moments: list[Moment], stride: int) -> list[list[Moment]]:
    """Moments between gaps, which begin with one estimate; those of too few frames are left out."""
    parts: list[list[Moment]] = []
    for moment in moments:
        if len(moment.estimates) == 1 or not parts:
            parts.append([])
        if len(moment.frames) >= stride:
            parts[-1].append(moment)
    return [part for part in parts if part]


def _settled(part: list[Moment]) -> Array:
    points: list[Array] = []
    for count, moment in enumerate(part, 1):
        points[max(0, count - len(moment.estimates)) :] = list(moment.estimates[-count:])
    return np.array(points)


def _labels(events: list[Event], frames: int) -> tuple[Labels, Labels]:
    """The final cluster of each frame, -1 where there was none, and how often its label changed before."""
    last, changed = np.full(frames, -1, np.int64), np.zeros(frames, np.int64)
    for event in events:
        if isinstance(event, Label) and event.cluster > 0:
            spoken = slice(event.start_seq - 1, event.end_seq - 1)
            changed[spoken] += (last[spoken] >= 0) & (last[spoken] != event.cluster)
            last[spoken] = event.cluster
    return last, changed


def _margins(points: Array, states: tuple[ClusterState, ...]) -> Array:
    centres = np.array([state.centre for state in states if not state.merged_into and state.weight])
    if len(centres) < 2:
        return np.full(len(points), np.inf)
    nearest = np.sort(np.linalg.norm(points[:, None] - centres, axis=2), axis=1)
    return np.asarray(nearest[:, 1] - nearest[:, 0])


def _places(recording: Recording, part: list[Moment], stride: int) -> Array | None:
    """Where joints were at the frames of the moments, as near in time as the recording has them."""
    edges = [(moment.span.start_seq - 1, moment.span.end_seq - 1) for moment in part]
    chosen = np.concatenate([np.linspace(a, b, stride, endpoint=False).astype(int) for a, b in edges])
    try:
        return filled(joint_positions(recording.skeleton, recording.frames[chosen]))
    except LayoutError:
        return None
