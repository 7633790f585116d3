"""Segments and alarms as a file of Neurodata Without Borders, `.nwb`, by pynwb and ndx-ethogram. Needs the extra `nwb`.

The processing module `behavior` has for each stream an Ethogram, whose behaviours are the clusters, and EthogramBouts,
the segments; the alarms are TimeIntervals. Seconds count from the session's start, the beginning of the first span.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

from motionscribe.events import Anomaly, SegmentEnded
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.record import Record, Records, Span, moment
from motionscribe.sinks.whole_file import save_whole
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape


def write_nwb(path: Path, records: Records) -> None:
    """Writes what has ended in all streams. Raises MissingExtraError without pynwb and ndx-ethogram, OSError."""
    libraries = load_nwb()
    zeros_us = {title: _zero_us(records, bool(record.offsets_us)) for title, record in records.items()}
    file = libraries.pynwb.NWBFile(
        session_description="; ".join(_about(title, records[title], zero) for title, zero in zeros_us.items()) or "-",
        identifier=str(uuid4()),
        session_start_time=_start(records, zeros_us),
    )
    behavior = file.create_processing_module("behavior", "what motionscribe found in each stream")
    for title, own in _object_names(records).items():
        seconds = list(_seconds(records[title], zeros_us[title]))
        segments = [row for row in seconds if isinstance(row[0], SegmentEnded)]
        alarms = [row for row in seconds if isinstance(row[0], Anomaly)]
        if segments:
            ethogram, bouts = _bouts(libraries, escape(title), own, segments)
            behavior.add(ethogram)
            behavior.add(bouts)
        if alarms:
            behavior.add(_alarms(libraries, escape(title), own, alarms))
    whole = BytesIO()  # HDF5 crashes where a disk is full
    with libraries.h5py.File(whole, "w") as inner, libraries.pynwb.NWBHDF5IO(file=inner, mode="w") as io:
        io.write(file)
    with new_file(path) as beside:
        beside.write_bytes(whole.getbuffer())


def save_nwb(path: str) -> AbstractContextManager[MakeSink]:
    """A sink that keeps such a file. Raises as `save_whole`, MissingExtraError."""
    load_nwb()
    return save_whole(path, write_nwb)


def load_nwb() -> Any:
    """A namespace of the modules h5py, pynwb and ndx_ethogram. Raises MissingExtraError."""
    try:
        import h5py
        import ndx_ethogram
        import pynwb
        import pynwb.epoch
    except ImportError:
        raise MissingExtraError("nwb", "writing .nwb") from None
    return SimpleNamespace(h5py=h5py, ndx_ethogram=ndx_ethogram, pynwb=pynwb)


Row = tuple[Any, float, float]
"""A span, and when it starts and ends, seconds of the session."""
Columns = Mapping[str, tuple[str, list[Any]]]
"""Name -> what it holds, and its cells."""


def _bouts(libraries: Any, title: str, own: str, rows: list[Row]) -> tuple[Any, Any]:
    """The behaviours of a stream, and its segments."""
    labels = _labels({segment.cluster: segment.name for segment, _, _ in rows})
    behaviors: Columns = {
        "behavior": ("the name of the cluster, or its number", list(labels.values())),
        "definition": ("no words but the name", ["motion that the model found alike"] * len(labels)),
        "behavior_type": ("all are states", ["state"] * len(labels)),
        "native_code": ("the number of the cluster in its stream", list(labels)),
    }
    ethogram = libraries.ndx_ethogram.Ethogram(
        name=f"ethogram_{own}",
        description=f"clusters of {title}",
        exclusive=True,
        columns=_columns(libraries, behaviors),
    )
    label = {"label": ("the behavior of the ethogram", [labels[segment.cluster] for segment, _, _ in rows])}
    bouts = libraries.ndx_ethogram.EthogramBouts(
        name=f"bouts_{own}",
        description=f"segments of {title}",
        labeling_method="automated",
        source_software=f"motionscribe {version('motionscribe')}",
        ethogram=ethogram,
        id=[segment.segment for segment, _, _ in rows],
        columns=_columns(libraries, _times(rows) | label),
    )
    return ethogram, bouts


def _alarms(libraries: Any, title: str, own: str, rows: list[Row]) -> Any:
    alarms = [alarm for alarm, _, _ in rows]
    columns = {
        "kind": ("sensor fault, motion fault or new behaviour", [escape(a.kind) for a in alarms]),
        "detector": ("the score that was the least normal", [escape(a.detector) for a in alarms]),
        "joints": ("the least normal first, with commas between them", [escape(", ".join(a.joints)) for a in alarms]),
        "false_alarms_per_hour": (
            "so many are to be expected where alarms begin at a score like this",
            [a.false_alarms_per_hour for a in alarms],
        ),
    }
    return libraries.pynwb.epoch.TimeIntervals(
        name=f"alarms_{own}",
        description=f"anomalies of {title}",
        id=[alarm.anomaly for alarm in alarms],
        columns=_columns(libraries, _times(rows) | columns),
    )


def _times(rows: list[Row]) -> dict[str, tuple[str, list[Any]]]:
    return {
        "start_time": ("seconds of the session", [start_s for _, start_s, _ in rows]),
        "stop_time": ("seconds of the session", [stop_s for _, _, stop_s in rows]),
    }


def _columns(libraries: Any, columns: Columns) -> list[Any]:
    """Whole columns: row by row pynwb takes several times as long."""
    vector = libraries.pynwb.core.VectorData
    return [vector(name=name, description=about, data=cells) for name, (about, cells) in columns.items()]


def _labels(names: Mapping[int, str]) -> dict[int, str]:
    """Cluster -> its name, with the number where it has none or shares it: an Ethogram tells behaviours by it."""
    shown = {cluster: escape(name) or f"cluster {cluster}" for cluster, name in names.items()}
    often = Counter(shown.values())
    return {c: f"{label} (cluster {c})" if often[label] > 1 else label for c, label in shown.items()}


def _dated(record: Record) -> Iterator[tuple[Span, int]]:
    """Spans, and what their times lack to those of the session's clock."""
    yield from zip(record.spans, record.offsets_us or [0] * len(record.spans), strict=True)


def _zero_us(records: Records, dated: bool) -> int:
    """Time 0 of the session: of the clock here for streams that it tells, of the sources' clocks for the others."""
    alike = [record for record in records.values() if bool(record.offsets_us) == dated]
    return min((span.start_us + offset for record in alike for span, offset in _dated(record)), default=0)


def _seconds(record: Record, zero_us: int) -> Iterator[Row]:
    for span, offset_us in _dated(record):
        start_s, stop_s = ((time_us + offset_us - zero_us) / 1e6 for time_us in (span.start_us, span.end_us))
        yield span, start_s, stop_s


def _start(records: Records, zeros_us: Mapping[str, int]) -> datetime:
    """The session's start: what the clock here tells, else as if the last span had ended now."""
    for title, record in records.items():
        if record.offsets_us and (start := moment(zeros_us[title])):
            return start
    ends = [span.end_us - zeros_us[title] for title, record in records.items() for span in record.spans]
    try:
        return datetime.now(UTC) - timedelta(microseconds=max(ends, default=0))
    except OverflowError:
        return datetime.now(UTC)


def _about(title: str, record: Record, zero_us: int) -> str:
    clock = "since 1970" if record.offsets_us else "of the source's clock"
    return f"{escape(title)}: time 0 is {zero_us} us {clock}"


def _object_names(titles: Mapping[str, Record]) -> dict[str, str]:
    """Title -> a name as objects of HDF5 may have, each another one."""
    plain = {title: re.sub(r"[/:.]", "_", escape(title)) for title in titles}
    often = Counter(plain.values())
    return {t: f"{name}_{n}" if often[name] > 1 else name for n, (t, name) in enumerate(plain.items(), 1)}
