"""What a stream did as one HTML page that needs nothing beside it: ethogram, segments, and why they have their labels.

Needs the extra `report`. Names and ids come from elsewhere: all of them are escaped.
"""

import base64
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from motionscribe.errors import BadEventsFile
from motionscribe.events import Anomaly, Event, SegmentEnded
from motionscribe.exemplars import Exemplars
from motionscribe.explanations import Explanation
from motionscribe.sinks.clips import clips_gif
from motionscribe.sinks.ethogram import draw_ethogram
from motionscribe.sinks.saved_events import stream_id_of
from motionscribe_models.new_file import new_file

SHOWN_JOINTS = 5
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
img { max-width: 100%; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
.faces { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; text-align: center; }
meter { width: 6rem; } .joint { white-space: nowrap; margin-right: 1rem; display: inline-block; }
"""


def write_html(
    path: Path | str,
    streams: Mapping[str, Sequence[Event]],
    explanations: Mapping[str, Sequence[Explanation]],
    exemplars: Mapping[str, Mapping[int, Exemplars]],
) -> None:
    """Writes a page of streams by title, as `read_events` gives them.

    Explanations, and what clusters look like, are by stream id; neither need be there.
    Raises BadEventsFile where no segment ended, MissingExtraError without matplotlib.
    """
    parts = []
    for title, events in streams.items():
        if any(isinstance(event, SegmentEnded) for event in events):
            parts.append(_stream(title, events, explanations.get(id := stream_id_of(title), ()), exemplars.get(id, {})))
    if not parts:
        raise BadEventsFile("expected ended segments to report, got none")
    policy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    with new_file(path) as beside:
        beside.write_text(
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>motionscribe report</title>'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
            f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
            f"<body>{''.join(parts)}</body></html>\n",
            "utf-8",
        )


def _stream(
    title: str, events: Sequence[Event], explanations: Sequence[Explanation], exemplars: Mapping[int, Exemplars]
) -> str:
    segments = [event for event in events if isinstance(event, SegmentEnded)]
    start_us = segments[0].start_us
    rows = "".join(_row(segment, start_us, _why(segment, explanations)) for segment in segments)
    alarms = "".join(
        f"<li>{escape(event.kind)}: {_span(event, start_us)}, {escape(', '.join(event.joints) or event.detector)}</li>"
        for event in events
        if isinstance(event, Anomaly) and not event.ongoing
    )
    return (
        f"<h1>{escape(title)}</h1>{_picture(title, events)}{_faces(segments, exemplars)}"
        "<table><thead><tr><th>segment</th><th>what</th><th>from, to</th><th>without this joint it would be less sure"
        f"</th></tr></thead><tbody>{rows}</tbody></table>" + (f"<h2>Alarms</h2><ul>{alarms}</ul>" if alarms else "")
    )


def _faces(segments: Sequence[SegmentEnded], exemplars: Mapping[int, Exemplars]) -> str:
    """What each cluster looks like, the first to be shown first."""
    names = {segment.cluster: segment.name or f"cluster {segment.cluster}" for segment in segments}
    faces = "".join(
        f'<figure><img src="data:image/gif;base64,{_base64(clips_gif(exemplars[cluster]))}" alt="{escape(name)}">'
        f"<figcaption>{escape(name)}</figcaption></figure>"
        for cluster, name in names.items()
        if cluster in exemplars and exemplars[cluster].clips
    )
    return f'<div class="faces">{faces}</div>' if faces else ""


def _row(segment: SegmentEnded, start_us: int, why: Explanation | None) -> str:
    what = segment.name or f"cluster {segment.cluster}"
    return (
        f"<tr><td>{segment.segment}</td><td>{escape(what)}</td><td>{_span(segment, start_us)}</td>"
        f"<td>{_joints(why, start_us) if why else ''}</td></tr>"
    )


def _joints(why: Explanation, start_us: int) -> str:
    """The joints that carried the label from when to when, each with a bar over the weightiest."""
    carried = [one for one in why.joints[:SHOWN_JOINTS] if one.weight > 0]
    looked_at = f"{(why.start_us - start_us) / 1e6:.1f} to {(why.end_us - start_us) / 1e6:.1f} s: "
    return looked_at + "".join(
        f'<span class="joint"><meter value="{one.weight / carried[0].weight:.3f}"></meter> '
        f"{escape(one.joint)} {one.weight:.2f}</span>"
        for one in carried
    )


def _why(segment: SegmentEnded, explanations: Sequence[Explanation]) -> Explanation | None:
    """The newest explanation of a segment; numbers of segments come again in later runs, their times do not."""
    own = [
        one
        for one in explanations
        if one.segment == segment.segment and segment.start_us <= one.start_us < segment.end_us
    ]
    return own[-1] if own else None


def _span(event: SegmentEnded | Anomaly, start_us: int) -> str:
    return f"{(event.start_us - start_us) / 1e6:.1f} to {(event.end_us - start_us) / 1e6:.1f} s"


def _picture(title: str, events: Sequence[Event]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder) / "ethogram.png"
        draw_ethogram(drawn, {title: events})
        data = _base64(drawn.read_bytes())
    return f'<p><img src="data:image/png;base64,{data}" alt="ethogram of {escape(title)}"></p>'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
