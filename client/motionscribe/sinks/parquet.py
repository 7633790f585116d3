"""Segments, alarms and gaps as one typed table, `.parquet`, for pandas, Polars, DuckDB, R. Needs the extra `parquet`.

A row each; columns that an event has not are null. docs/2-connecting.md says what each column holds.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from motionscribe.events import Anomaly, Gap, SegmentEnded
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.record import Record, Records, Span, moment
from motionscribe.sinks.whole_file import save_whole
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

COLUMNS = {
    "stream": "string",
    "event": "string",
    "id": "int64",
    "cluster": "int64",
    "name": "string",
    "guessed": "bool",
    "start_s": "float64",
    "end_s": "float64",
    "start_time": "timestamp",
    "end_time": "timestamp",
    "start_seq": "int64",
    "end_seq": "int64",
    "kind": "string",
    "detector": "string",
    "joints": "strings",
    "false_alarms_per_hour": "float64",
}
"""Names and types, in this order."""


def write_parquet(path: Path, records: Records) -> None:
    """Writes what has ended in all streams. Raises MissingExtraError without pyarrow, OSError."""
    pyarrow, parquet = load_pyarrow()
    kinds = {
        "string": pyarrow.string(),
        "strings": pyarrow.list_(pyarrow.string()),
        "int64": pyarrow.int64(),
        "float64": pyarrow.float64(),
        "bool": pyarrow.bool_(),
        "timestamp": pyarrow.timestamp("us", tz="UTC"),
    }
    schema = pyarrow.schema([(column, kinds[kind]) for column, kind in COLUMNS.items()])
    rows = [row for title, record in records.items() for row in _rows(escape(title), record)]
    with new_file(path) as beside:
        parquet.write_table(pyarrow.Table.from_pylist(rows, schema), beside)


def save_parquet(path: str) -> AbstractContextManager[MakeSink]:
    """A sink that keeps such a file. Raises as `save_whole`, MissingExtraError."""
    load_pyarrow()
    return save_whole(path, write_parquet)


def load_pyarrow() -> tuple[Any, Any]:
    """The modules pyarrow and pyarrow.parquet. Raises MissingExtraError."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtraError("parquet", "writing .parquet") from None
    return pyarrow, pyarrow.parquet


def _rows(title: str, record: Record) -> Iterator[dict[str, Any]]:
    for n, span in enumerate(record.spans):
        row = {"stream": title, "start_s": span.start_us / 1e6, "end_s": span.end_us / 1e6}
        row |= {"start_seq": span.start_seq, "end_seq": span.end_seq} | _of_kind(span)
        if record.offsets_us:
            offset_us = record.offsets_us[n]
            row |= {"start_time": moment(span.start_us + offset_us), "end_time": moment(span.end_us + offset_us)}
        yield row


def _of_kind(span: Span) -> dict[str, Any]:
    match span:
        case SegmentEnded():
            what = {"event": "segment", "id": span.segment, "cluster": span.cluster}
            return what | {"name": escape(span.name), "guessed": span.guessed}
        case Anomaly():
            what = {"event": "alarm", "id": span.anomaly, "cluster": span.cluster or None}
            what |= {"kind": escape(span.kind), "detector": escape(span.detector)}
            joints = [escape(joint) for joint in span.joints]
            return what | {"joints": joints, "false_alarms_per_hour": span.false_alarms_per_hour}
        case Gap():
            return {"event": "gap"}
