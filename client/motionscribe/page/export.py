"""What a viewer sees of a stream, as a file: the browser sends the events with the names of now, a sink writes them."""

import json
import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from motionscribe.errors import BadRequest
from motionscribe.events import Event
from motionscribe.sinks.boris import write_boris
from motionscribe.sinks.elan import write_elan
from motionscribe.sinks.jsonlines import write_lines
from motionscribe.sinks.segments import write_segments
from motionscribe_proto.events import from_dict

LONGEST_BODY = 8 << 20
"""Bytes of the events: a day of segments, at one in five seconds, is half of it."""
Streams = Mapping[str, Sequence[Event]]
FORMATS: Mapping[str, tuple[str, Callable[[Path, Streams, int | None], None]]] = {
    "csv": ("text/csv", lambda path, streams, _: write_segments(path, streams)),
    "jsonl": ("application/jsonl", lambda path, streams, _: write_lines(path, streams)),
    "eaf": ("application/xml", write_elan),
    "boris": ("application/json", write_boris),
}
"""Ending -> its type, and what writes a file of it; the last argument is time zero in us, where the format has one."""


async def export(request: Request) -> Response:
    """Answers {"stream": ID, "zero_us": INTEGER or null, "events": [...]} with a file, 400 for anything else."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_BODY:
            return PlainTextResponse(f"expected at most {LONGEST_BODY} bytes of events, got more", 413)
    try:
        stream_id, zero_us, events = _read(body)
        kind, write = _format(request.path_params["ending"])
    except BadRequest as error:
        return PlainTextResponse(str(error), 400)

    def written() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "stream"
            write(path, {stream_id: events}, zero_us)
            return path.read_bytes()

    try:
        file = await run_in_threadpool(written)
    except OverflowError as error:
        return PlainTextResponse(f"expected times in microseconds, got larger numbers: {error}", 400)
    return Response(file, media_type=kind, headers={"Content-Disposition": "attachment"})


def _format(ending: str) -> tuple[str, Callable[[Path, Streams, int | None], None]]:
    """Raises BadRequest."""
    if ending not in FORMATS:
        raise BadRequest(f"expected a file of {', '.join(FORMATS)}, got {ending[:40]!r}")
    return FORMATS[ending]


def _read(body: bytes) -> tuple[str, int | None, list[Event]]:
    """Stream, time zero and events. Raises BadRequest."""
    try:
        values = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"expected events as JSON, got {body[:40]!r}") from error
    match values:
        case {"stream": str(stream_id), "zero_us": int() | None as zero_us, "events": list(told)}:
            try:
                return stream_id, zero_us, [_event(one) for one in told]
            except ValueError as error:
                raise BadRequest(str(error)) from error
    raise BadRequest(f"expected an object of stream, zero_us and events, got {body[:40]!r}")


def _event(values: Any) -> Event:
    """Raises ValueError. A number that JSON does not know came to the browser as null."""
    if not isinstance(values, dict):
        raise ValueError(f"expected an event, got {str(values)[:40]!r}")
    return from_dict({name: _numbers(value) for name, value in values.items()})


def _numbers(value: Any) -> Any:
    """Alone it was infinity, how rare an alarm is; in a list NaN."""
    if isinstance(value, list):
        return [math.nan if one is None else one for one in value]
    return math.inf if value is None else value
