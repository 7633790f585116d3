"""Segments and alarms as a project of BORIS, `.boris` of format 7.0: an observation a stream, a state a behaviour.

A state is two rows, its start and its stop; BORIS pairs them by their order in time. Times are seconds to the
millisecond.
"""

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from motionscribe.events import Event
from motionscribe.sinks.annotations import Annotations, annotations
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.record import spans_of
from motionscribe.sinks.whole_file import save_whole
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

CATEGORIES = ("labels", "alarms")
ALARM = "alarm: "
"""Before the kind, so that no cluster's name is taken for an alarm."""
SPARE = "\uff5c"
"""A bar as wide as a letter: BORIS forbids | in the code of a behaviour."""


def write_boris(path: Path | str, streams: Mapping[str, Sequence[Event]], zero_us: int | None = None) -> None:
    """Writes what has ended in all streams, by title. Time zero is `zero_us`, else that of each stream's first span.

    The description of each observation says which time that is. Raises OSError.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    found = {escape(title): annotations(events, zero_us) for title, events in streams.items()}
    codes: dict[str, str] = {}
    for one in found.values():
        codes |= {_code(span.text): "labels" for span in one.labels} | {ALARM + kind: "alarms" for kind in one.alarms}
    project = {
        "time_format": "hh:mm:ss",
        "project_date": now,
        "project_name": "motionscribe",
        "project_description": "",
        "project_format_version": "7.0",
        "subjects_conf": {},
        "behaviors_conf": {str(n): _behaviour(code, kind) for n, (code, kind) in enumerate(codes.items())},
        "observations": {title: _observation(one, now) for title, one in found.items()},
        "behavioral_categories": list(CATEGORIES),
        "independent_variables": {},
        "coding_map": {},
        "behaviors_coding_map": [],
        "converters": {},
    }
    with new_file(path) as beside:
        # BORIS opens the file in whatever encoding its system has: ASCII is the same in all
        beside.write_text(json.dumps(project, indent=1), "ascii")


def save_boris(path: str) -> AbstractContextManager[MakeSink]:
    """A sink that keeps such a file. Raises as `save_whole`."""
    return save_whole(path, lambda place, records: write_boris(place, spans_of(records)))


def _code(text: str) -> str:
    """A cluster's name as the code of a behaviour."""
    code = text.replace("|", SPARE)
    return f"cluster {code}" if code.startswith(ALARM) else code


def _behaviour(code: str, category: str) -> dict[str, str]:
    empty = dict.fromkeys(("key", "description", "color", "modifiers", "excluded", "coding map"), "")
    return {"type": "State event", "code": code, "category": category} | empty


def _observation(found: Annotations, now: str) -> dict[str, Any]:
    states = [(_code(span.text), span, "") for span in found.labels]
    states += [(ALARM + kind, span, span.text) for kind, spans in found.alarms.items() for span in spans]
    # a start and a stop at one time: the stop of what was before comes first
    rows = [(span.end_ms, 0, code, comment) for code, span, comment in states]
    rows += [(span.start_ms, 1, code, comment) for code, span, comment in states]
    return {
        "type": "LIVE",
        "file": {},
        "date": now,
        "description": found.zero,
        "time offset": 0.0,
        "independent_variables": {},
        "observation time interval": [0, 0],
        "scan_sampling_time": 0,
        "start_from_current_time": False,
        "start_from_current_epoch_time": False,
        "visualize_spectrogram": False,
        "visualize_waveform": False,
        "media_info": {},
        "events": [[time_ms / 1000, "", code, "", comment] for time_ms, _, code, comment in sorted(rows)],
    }
