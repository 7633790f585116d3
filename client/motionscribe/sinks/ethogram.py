"""The ethogram: one row per cluster; anomalies, lost joints and gaps across. Needs the extra `report`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from motionscribe.errors import BadEventsFile
from motionscribe.events import Anomaly, Degraded, Event, Gap, SegmentEnded
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

ROW_INCHES = 0.32
FRAME_INCHES = 1.0
WIDTH_INCHES = 11.0


def draw_ethogram(path: Path | str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Saves a picture, PNG, SVG or PDF by the ending, with a panel per stream; time is seconds from its first segment.

    Raises BadEventsFile where no segment ended, MissingExtraError without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("report", "the ethogram") from error
    segments = {id: [e for e in events if isinstance(e, SegmentEnded)] for id, events in streams.items()}
    drawn = [id for id, ended in segments.items() if ended]
    if not drawn:
        raise BadEventsFile("expected ended segments to draw, got none")
    rows = [len({segment.cluster for segment in segments[id]}) for id in drawn]
    heights = [FRAME_INCHES + ROW_INCHES * count for count in rows]
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights)), layout="constrained")
    panels = figure.subplots(len(drawn), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for panel, id in zip(panels, drawn, strict=True):
        _draw(panel, id, segments[id], streams[id])
    panels[-1].set_xlabel("seconds")
    with new_file(path) as beside:
        figure.savefig(beside, dpi=120)


def _draw(panel: Any, title: str, segments: Sequence[SegmentEnded], events: Sequence[Event]) -> None:
    clusters = list(dict.fromkeys(segment.cluster for segment in segments))
    # a cluster may have been named on the way: its last name counts
    names = {segment.cluster: segment.name or f"cluster {segment.cluster}" for segment in segments}
    start_us = segments[0].start_us

    def bar(first_us: int, last_us: int) -> tuple[float, float]:
        return (first_us - start_us) / 1e6, (last_us - first_us) / 1e6

    for row, cluster in enumerate(clusters):
        bars = [bar(segment.start_us, segment.end_us) for segment in segments if segment.cluster == cluster]
        panel.broken_barh(bars, (row - 0.4, 0.8), color=f"C{row % 10}")
    for event in events:
        match event:
            case Anomaly(ongoing=False):
                first, length = bar(event.start_us, event.end_us)
                panel.axvspan(first, first + length, color="red", alpha=0.25, linewidth=0)
            case Degraded(ongoing=False):
                first, length = bar(event.start_us, event.end_us)
                panel.axvspan(first, first + length, color="gold", alpha=0.25, linewidth=0, hatch="..")
            case Gap():
                first, length = bar(event.start_us, event.end_us)
                panel.axvspan(first, first + length, color="grey", alpha=0.25, linewidth=0, hatch="//")
    # a dollar in a name is no mathematics
    panel.set_yticks(range(len(clusters)), [escape(names[cluster]) for cluster in clusters], parse_math=False)
    panel.set_ylim(len(clusters) - 0.5, -0.5)
    panel.set_xlim(0, max(sum(bar(segment.start_us, segment.end_us)) for segment in segments))
    panel.set_title(escape(title), loc="left", fontsize="medium", parse_math=False)
