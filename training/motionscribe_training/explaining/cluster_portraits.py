"""Each cluster as its users want to see it: its typical course, real examples of it, and the pose at its centre.

In: recordings with clusters in common (common_clusters.py). Out: a Portrait for each cluster, of the most motion first.
A typical course is the median over the cluster's pieces, each stretched to one length: no warping in time, so that of a
motion that repeats itself within a piece the median shows the mean pose rather than the swing. The piece nearest to it
is real and can be drawn (clusters_picture.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_training.explaining.common_clusters import Common
from motionscribe_training.explaining.watched import Piece, Watched

LENGTH = 30
"""Frames of a typical course."""
EXEMPLARS = 3
"""Real examples of each kind."""


@dataclass(frozen=True)
class Exemplar:
    """Real motion."""

    recording: int
    """Index in what was watched."""
    piece: Piece
    distance: float
    """Of its mean embedding from the centre, in embedding units."""


@dataclass(frozen=True, eq=False)
class Portrait:
    """One cluster."""

    cluster: int
    name: str
    centre: Array
    """(d,) mean embedding of its moments."""
    seconds: float
    pieces: int
    course: Array
    """(LENGTH, F) median of the features over its pieces, raw units."""
    typical: Exemplar
    """The piece whose own stretched course is nearest to that median, each feature over its spread."""
    nearest: tuple[Exemplar, ...]
    """The pieces nearest to the centre, the nearest first."""
    newest: tuple[Exemplar, ...]
    """The last pieces of it, in order of recordings and time, the newest first."""
    pose: Exemplar
    """The moment whose embedding is nearest to the centre: what the centre means as motion, of one moment."""


def portraits(common: Common) -> list[Portrait]:
    """In order of the clusters' numbers, which is that of their motion."""
    everything = np.concatenate([part.features for part in common.watched])
    spread = np.maximum(everything.std(axis=0, dtype=np.float64), 1e-6)
    return [_portrait(common, cluster, spread) for cluster in common.centres]


def course_of(watched: Watched, piece: Piece, length: int = LENGTH) -> Array:
    """(length, F): a piece stretched to so many frames, linear between them."""
    return stretched(watched.frames(piece), length)


def stretched(frames: np.ndarray[tuple[int, ...], np.dtype[np.floating]], length: int) -> Array:
    """(k, F) to (length, F); the first and the last stay what they are."""
    places = np.linspace(0, len(frames) - 1, length)
    low = np.floor(places).astype(int)
    high = np.minimum(low + 1, len(frames) - 1)
    share = (places - low)[:, None]
    return np.asarray(frames[low] * (1 - share) + frames[high] * share, np.float64)


def _portrait(common: Common, cluster: int, spread: Array) -> Portrait:
    centre = common.centres[cluster]
    found = [
        (i, piece) for i, part in enumerate(common.watched) for piece in part.labelled() if piece.label == str(cluster)
    ]
    examples = [_exemplar(common.watched, i, piece, centre) for i, piece in found]
    courses = np.array([course_of(common.watched[i], piece) for i, piece in found])  # (p, LENGTH, F)
    course = np.median(courses, axis=0)
    typical = int(np.argmin(np.square((courses - course) / spread).sum(axis=(1, 2))))
    moments = [
        _exemplar(common.watched, i, Piece(n, n + 1, piece.label), centre)
        for i, piece in found
        for n in range(piece.start, piece.end)
    ]
    return Portrait(
        cluster=cluster,
        name=common.names[cluster],
        centre=centre,
        seconds=sum(_seconds(common.watched[i], piece) for i, piece in found),
        pieces=len(found),
        course=course,
        typical=examples[typical],
        nearest=tuple(sorted(examples, key=lambda one: one.distance)[:EXEMPLARS]),
        newest=tuple(examples[::-1][:EXEMPLARS]),
        pose=min(moments, key=lambda one: one.distance),
    )


def _exemplar(watched: Sequence[Watched], recording: int, piece: Piece, centre: Array) -> Exemplar:
    mean = watched[recording].embeddings[piece.start : piece.end].mean(axis=0)
    return Exemplar(recording, piece, float(np.linalg.norm(mean - centre)))


def _seconds(watched: Watched, piece: Piece) -> float:
    start_us, end_us = watched.span_us(piece)
    return (end_us - start_us) / 1e6
