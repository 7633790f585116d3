"""Labels over time as a dataset of the package `movement`, `.nc`: beside the poses that `convert` writes.

`cluster` and `name` by time and individuals, which are the streams. Time is seconds of the source's clock, a row each
tenth of one, the moment of the shipped models; of times when no stream has a segment there is none. Where there is none
in one stream, its cluster is 0 and its name is empty. Needs the extra `h5`.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe.events import SegmentEnded
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.record import Record, Records
from motionscribe.sinks.whole_file import save_whole
from motionscribe_models.new_file import new_file
from motionscribe_models.recordings.writers.netcdf import Variable, load_h5py, write_netcdf
from motionscribe_proto.names import escape

STEP_US = 100_000
MOST_BYTES = 64 << 20
"""Of clusters and names; where there would be more, a row stands for twice the time, or four times, and so on."""
CLUSTER_BYTES = 8

Ints = NDArray[np.int64]


def write_movement_labels(path: Path, records: Records) -> None:
    """Writes the ended segments of all streams. Raises MissingExtraError without h5py, OSError."""
    segments = {title: _segments(record) for title, record in records.items()}
    every = sorted((s.start_us, s.end_us) for found in segments.values() for s in found)
    spans = np.array(every, np.int64).reshape(-1, 2)
    names = {s.name for found in segments.values() for s in found}
    width = max((len(_bytes(name)) for name in names), default=0) or 1
    times_us, step_us = _moments(spans, len(segments) * (width + CLUSTER_BYTES))
    clusters = np.zeros((len(times_us), len(segments)), np.int64)
    texts = np.zeros(clusters.shape, f"S{width}")
    for column, found in enumerate(segments.values()):
        if found:
            rows, which = _rows_of(found, times_us)
            clusters[rows, column] = np.array([s.cluster for s in found], np.int64)[which]
            texts[rows, column] = np.array([_bytes(s.name) for s in found], texts.dtype)[which]
    dims: dict[str, Any] = {
        "time": times_us / 1e6,
        "individuals": [escape(title) for title in segments],
        "name_length": width,
    }
    by = ("time", "individuals")
    about = {"long_name": "cluster, 0 for none"}
    variables = {
        "cluster": Variable(by, clusters, about),
        "name": Variable((*by, "name_length"), texts.view("S1").reshape(*texts.shape, width), {"_Encoding": "utf-8"}),
    }
    attributes = {"fps": 1e6 / step_us, "time_unit": "seconds", "source_software": "motionscribe"}
    with new_file(path) as beside:
        write_netcdf(beside, dims, variables, attributes)


def save_movement_labels(path: str) -> AbstractContextManager[MakeSink]:
    """A sink that keeps such a file. Raises as `save_whole`, MissingExtraError."""
    load_h5py(".nc")
    return save_whole(path, write_movement_labels)


def _segments(record: Record) -> list[SegmentEnded]:
    found = [span for span in record.spans if isinstance(span, SegmentEnded) and span.end_us > span.start_us]
    return sorted(found, key=lambda segment: segment.start_us)


def _bytes(name: str) -> bytes:
    return escape(name).encode("utf-8")


def _moments(spans: Ints, row_bytes: int) -> tuple[Ints, int]:
    """Starts of the moments that a span of `spans` holds, (n, 2) in order of their starts; microseconds from one on."""
    if not len(spans):
        return np.zeros(0, np.int64), STEP_US
    ends = np.maximum.accumulate(spans[:, 1])
    starts = np.maximum(spans[:, 0], np.concatenate([spans[:1, 0], ends[:-1]]))
    covered = ends > starts
    starts, ends = starts[covered], ends[covered]
    step_us = STEP_US
    while float((ends - starts).sum()) / step_us * row_bytes > MOST_BYTES:
        step_us *= 2
    zero_us = starts[0]
    # of each span its first moment, and the first that it does not hold
    first, last = (-(-(times - zero_us) // step_us) for times in (starts, ends))
    counts = last - first
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return zero_us + (np.repeat(first, counts) + within) * step_us, step_us


def _rows_of(segments: Sequence[SegmentEnded], times_us: Ints) -> tuple[Ints, Ints]:
    """The rows that a segment holds, and which one it is."""
    starts, ends = (np.array([getattr(s, name) for s in segments], np.int64) for name in ("start_us", "end_us"))
    which = np.searchsorted(starts, times_us, "right") - 1
    rows = np.flatnonzero((which >= 0) & (times_us < ends[which]))
    return rows, which[rows]
