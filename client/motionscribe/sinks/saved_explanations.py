"""Reads what `motionscribe explain --json` printed, a line each, so that a report carries it beside its segments.

In: a file. Out: for each stream, its explanations in the order of the file. A later one of the same segment is newer.
"""

import json
from pathlib import Path
from typing import Any

from motionscribe.errors import BadEventsFile
from motionscribe.explanations import Explanation
from motionscribe.sinks.saved_events import encoding_of
from motionscribe_proto.weights import JointWeight, PartWeight


def read_explanations(path: Path | str) -> dict[str, list[Explanation]]:
    """By stream id. Raises BadEventsFile for a line that is none."""
    found: dict[str, list[Explanation]] = {}
    try:
        lines = Path(path).read_text(encoding_of(Path(path)), errors="backslashreplace").splitlines()
    except OSError as error:
        raise BadEventsFile(f"{path}: expected what explain --json printed: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            stream_id, explanation = _explanation(json.loads(line))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise BadEventsFile(f"{path}, line {number}: expected what explain --json printed ({error})") from error
        found.setdefault(stream_id, []).append(explanation)
    return found


def _explanation(values: dict[str, Any]) -> tuple[str, Explanation]:
    stream_id = values.pop("stream")
    joints = tuple(
        JointWeight(str(one["joint"]), float(one["weight"]), int(one["becomes"])) for one in values["joints"]
    )
    parts = tuple(
        PartWeight(int(one["start_us"]), int(one["end_us"]), float(one["weight"]), int(one["becomes"]))
        for one in values["parts"]
    )
    explanation = Explanation(**{**values, "joints": joints, "parts": parts})
    if not isinstance(stream_id, str) or not isinstance(explanation.segment, int):
        raise ValueError("no stream, or no segment")
    return stream_id, explanation
