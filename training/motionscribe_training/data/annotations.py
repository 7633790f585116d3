"""Annotations: the actions in a recording as segments of source frames, and the tolerance of their boundaries.

In: the annotation files of subject 86 (`NN_gt.txt`), of mocap6 (`.npz` labels, `truelabels/*.txt`), file names that are
an action, and a CSV `start_seq,end_seq,name` as `motionscribe report` writes it. Out: Annotation, in frames from 0.
`find_annotation` finds the file that belongs to a recording. Nothing here reads motion.
"""

import csv
import re
import zipfile
import zlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.table import find_rows, first_row
from motionscribe_models.recordings.text import read_text, split_lines

CLIP = re.compile(r"([a-z]+(?:_[a-z]+)*)_\d+")
"""Name of a file that shows one action: `walking_1`, `jump_high_12`."""

OPEN_END = int(np.iinfo(np.int64).max)
"""End of a last segment that lasts to the end of the recording."""

SLACK = 0.02
"""An annotation may end this share of a recording before or after its end: most files of subject 86 are a frame off."""

SPELLINGS = {"walking": "walk", "running": "run", "jumping": "jump", "punching": "punch", "kicking": "kick"}
"""Words that annotators spell in two ways within one recording."""

MOCAP6_NAMES = (
    *("jumpjack", "jog", "squat", "kneeraise", "armcircle", "twist", "sidereach", "box", "updown"),
    *("toetouchonehand", "sidebend", "toetouchtwohands"),
)
"""The exercise classes of mocap6, label 1 first (its README; `label_names` of the .npz files)."""

MOCAP6_FRAMES = 12
"""Frames for each entry of mocap6/truelabels: 120 Hz labelled at 10 Hz."""


class Segment(NamedTuple):
    """Frames [start, end) show the action `name`."""

    start: int
    end: int
    name: str


class Boundary(NamedTuple):
    """Frame at which one action changes to the next: the best guess and the accepted range, both ends inclusive."""

    earliest: int
    best: int
    latest: int


@dataclass(frozen=True)
class Annotation:
    """Consecutive segments without holes, and the boundary between each two."""

    segments: tuple[Segment, ...]
    boundaries: tuple[Boundary, ...]

    def __post_init__(self) -> None:
        if not self.segments or self.segments[0].start < 0:
            raise RecordingError(f"annotation: expected segments from frame 0 on, got {self.segments[:1]}")
        for segment in self.segments:
            if segment.start >= segment.end:
                raise RecordingError(f"annotation: expected a start before the end, got {segment}")
        for one, next_one in pairwise(self.segments):
            if one.end != next_one.start:
                raise RecordingError(
                    f"annotation: expected segments without holes or overlaps (a pause is a segment of its own), "
                    f"got {one} and {next_one}"
                )
        best = tuple(boundary.best for boundary in self.boundaries)
        if best != tuple(segment.start for segment in self.segments[1:]):
            raise RecordingError(f"annotation: expected a boundary at each start but the first, got {best}")
        if any(not b.earliest <= b.best <= b.latest for b in self.boundaries):
            raise RecordingError(f"annotation: expected earliest <= best <= latest, got {self.boundaries}")

    @property
    def names(self) -> tuple[str, ...]:
        """The actions, in order of first appearance; their positions are the class numbers of `labels`."""
        return tuple(dict.fromkeys(segment.name for segment in self.segments))

    @property
    def tolerant(self) -> bool:
        """Whether annotators gave an accepted range for the boundaries."""
        return any(boundary.earliest < boundary.latest for boundary in self.boundaries)

    def labels(self, frames: int) -> NDArray[np.int64]:
        """(frames,) class number of each frame, -1 where nothing is annotated."""
        names = self.names
        labels = np.full(frames, -1, np.int64)
        for start, end, name in self.segments:
            labels[start : min(end, frames)] = names.index(name)
        return labels

    def fitted(self, frames: int) -> "Annotation":
        """This annotation for a recording of `frames` frames: an end that is open or nearly right becomes `frames`.

        Raises RecordingError where the annotation has frames that the recording does not have.
        """
        *earlier, last = self.segments
        slack = SLACK * frames
        if last.start >= frames or (last.end != OPEN_END and last.end > frames + slack):
            spoken = last.start + 1 if last.end == OPEN_END else last.end
            raise RecordingError(f"expected a recording of {spoken} frames, as annotated, got {frames}")
        if last.end == OPEN_END or last.end >= frames - slack:
            last = last._replace(end=frames)
        return Annotation((*earlier, last), self.boundaries)


def normalise_name(name: str) -> str:
    """One spelling of an action: lower case, words joined by `_`, `walking` as `walk`."""
    words = re.split(r"[\s_-]+", name.strip().lower())
    return "_".join(SPELLINGS.get(word, word) for word in words)


def find_annotation(recording: Path) -> Annotation | None:
    """The annotation that belongs to a recording file, None when there is none.

    In order: `X.csv` beside `X.*`; `NN_gt.txt` beside `NN.*` or `86_NN.*`, or in a folder `sub86` next door;
    `expmap/X.npz` next door, `truelabels/X.txt` next door; the action in `action_1.txt`.
    Raises RecordingError where that file is malformed.
    """
    stem, folder = recording.stem, recording.parent
    beside = recording.with_suffix(".csv")
    # a table without this column is of something else
    if beside != recording and beside.is_file() and "start_seq" in first_row(beside):
        return read_segments_csv(beside)
    trial = re.fullmatch(r"(?:86_)?(\d\d)", stem)
    if trial:
        for place in (folder, folder.parent / "sub86"):
            if (place / f"{trial[1]}_gt.txt").is_file():
                return read_transitions(place / f"{trial[1]}_gt.txt")
    archive, coarse = folder.parent / "expmap" / f"{stem}.npz", folder.parent / "truelabels" / f"{stem}.txt"
    if archive.is_file():
        return read_mocap6_labels(archive)
    if coarse.is_file():
        return read_mocap6_truelabels(coarse)
    action = CLIP.fullmatch(stem)
    if action and recording.suffix == ".txt":
        return Annotation((Segment(0, OPEN_END, normalise_name(action[1])),), ())
    return None


def read_transitions(path: Path) -> Annotation:
    """`NN_gt.txt` of subject 86: a count, then per segment `<index> <name>` and `<earliest> <best> <latest>`.

    The last segment has only its end, or no second line. Raises RecordingError.
    """
    lines = [words for words in (line.split() for line in split_lines(read_text(path))) if words]
    if not lines or len(lines[0]) != 1:
        raise RecordingError(f"{path}: expected the number of segments in the first line, got {lines[:1]}")
    count = _whole(lines[0][0], path)
    entries = lines[1:]
    if count < 1 or len(entries) not in (2 * count - 1, 2 * count):
        raise RecordingError(f"{path}: expected {count} segments of two lines each, got {len(entries)} lines")
    segments: list[Segment] = []
    boundaries: list[Boundary] = []
    start = 0
    for i in range(count):
        heading, last = entries[2 * i], i == count - 1
        _whole(heading[0], path)
        if len(heading) < 2:
            raise RecordingError(f"{path}: expected an index and a name, got {' '.join(heading)!r}")
        times = [_whole(word, path) for word in entries[2 * i + 1]] if 2 * i + 1 < len(entries) else [OPEN_END]
        if len(times) not in ((1, 3) if last else (3,)):
            raise RecordingError(f"{path}: expected earliest, best and latest frame of segment {i + 1}, got {times}")
        best = times[len(times) // 2]
        if not last:
            # some earliest and latest are typed on the wrong side of the best
            boundaries.append(Boundary(min(times[0], best), best, max(times[2], best)))
        segments.append(Segment(start, best, normalise_name(" ".join(heading[1:]))))
        start = best
    return _annotation(segments, boundaries, path)


def read_mocap6_labels(path: Path) -> Annotation:
    """`labels` (n,), counted from 1, and `label_names` of a mocap6 `.npz`. Raises RecordingError."""
    try:
        # np.load leaves a file open that it opened itself and could not read
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            labels, names = archive["labels"], tuple(str(name) for name in archive["label_names"])
    except (ValueError, OSError, EOFError, KeyError, AttributeError, zlib.error, zipfile.BadZipFile) as error:
        raise RecordingError(f"{path}: expected an .npz with labels and label_names, got {error}") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise RecordingError(f"{path}: expected labels (n,) of whole numbers, got {labels.dtype} {labels.shape}")
    return _runs(labels.astype(np.int64), 1, names, path)


def read_mocap6_truelabels(path: Path) -> Annotation:
    """`truelabels/*.txt` of mocap6: one class, counted from 1, per 12 frames. Raises RecordingError."""
    labels = np.array([_whole(word, path) for word in read_text(path).split()], np.int64)
    return _runs(labels, MOCAP6_FRAMES, MOCAP6_NAMES, path)


def read_segments_csv(path: Path) -> Annotation:
    """Columns start_seq, end_seq (frames from 1, half-open) and name; others are ignored. Raises RecordingError."""
    _, body, separator = find_rows(split_lines(read_text(path)))
    rows = csv.DictReader((text for _, text in body), delimiter=separator, skipinitialspace=True)
    wanted = ("start_seq", "end_seq", "name")
    if not set(wanted) <= set(rows.fieldnames or ()):
        raise RecordingError(f"{path}: expected columns {', '.join(wanted)}, got {rows.fieldnames}")
    segments: list[Segment] = []
    for row in rows:
        values = [row[column] for column in wanted]
        if None in values or not row["name"].strip():
            line = body[rows.line_num - 1][0]
            raise RecordingError(f"{path}: line {line}: expected {', '.join(wanted)}, got {values}")
        segment = Segment(
            _whole(row["start_seq"], path) - 1, _whole(row["end_seq"], path) - 1, normalise_name(row["name"])
        )
        if segments and segments[-1].name == segment.name and segments[-1].end == segment.start:
            segment = segment._replace(start=segments.pop().start)
        segments.append(segment)
    return _annotation(segments, [Boundary(s.start, s.start, s.start) for s in segments[1:]], path)


def _runs(labels: NDArray[np.int64], frames: int, names: tuple[str, ...], path: Path) -> Annotation:
    """Labels counted from 1, one per `frames` frames, as segments."""
    if len(labels) == 0 or labels.min() < 1 or labels.max() > len(names):
        raise RecordingError(f"{path}: expected labels 1 to {len(names)}, got {np.unique(labels).tolist()}")
    cuts = [0, *(np.flatnonzero(np.diff(labels)) + 1).tolist(), len(labels)]
    segments = [Segment(a * frames, b * frames, normalise_name(names[int(labels[a]) - 1])) for a, b in pairwise(cuts)]
    return _annotation(segments, [Boundary(s.start, s.start, s.start) for s in segments[1:]], path)


def _annotation(segments: list[Segment], boundaries: list[Boundary], path: Path) -> Annotation:
    try:
        return Annotation(tuple(segments), tuple(boundaries))
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error


def _whole(word: str, path: Path) -> int:
    try:
        return int(word)
    except ValueError:
        raise RecordingError(f"{path}: expected a whole number, got {word!r}") from None
