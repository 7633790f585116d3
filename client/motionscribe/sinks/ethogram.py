"""The ethogram: one row per cluster; anomalies, lost joints and gaps across; anomaly scores below.

Needs the extra `report`.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from pathlib import Path
from typing import Any

from motionscribe.anomaly_text import RAREST
from motionscribe.errors import BadEventsFile
from motionscribe.events import Anomaly, AnomalyScores, Degraded, Event, Gap, SegmentEnded
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.new_file import new_file
from motionscribe_proto.names import escape

ROW_INCHES = 0.32
FRAME_INCHES = 1.0
SCORES_INCHES = 1.8
WIDTH_INCHES = 11.0
COLOURS = {"sensor fault": "blueviolet", "motion fault": "red", "new behaviour": "teal"}
"""Of anomalies and their scores, by kind."""
SCORES = {"sensor fault": "sensor", "motion fault": "motion", "new behaviour": "behaviour"}
"""Fields of AnomalyScores, by kind."""


def draw_ethogram(path: Path | str, streams: Mapping[str, Sequence[Event]]) -> None:
    """Saves a picture, PNG, SVG or PDF by the ending, with a panel per stream; time is seconds from its first segment.

    A stream with anomaly scores has a second panel. Raises BadEventsFile where no segment ended, MissingExtraError
    without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
        from matplotlib.patches import Patch
    except ImportError as error:
        raise MissingExtraError("report", "the ethogram") from error
    segments = {id: [e for e in events if isinstance(e, SegmentEnded)] for id, events in streams.items()}
    scores = {id: [e for e in events if isinstance(e, AnomalyScores)] for id, events in streams.items()}
    drawn = [id for id, ended in segments.items() if ended]
    if not drawn:
        raise BadEventsFile("expected ended segments to draw, got none")
    heights: list[float] = []
    for id in drawn:
        heights.append(FRAME_INCHES + ROW_INCHES * len({segment.cluster for segment in segments[id]}))
        heights += [SCORES_INCHES] if scores[id] else []
    figure = Figure(figsize=(WIDTH_INCHES, sum(heights)), layout="constrained")
    panels = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    panels[-1].set_xlabel("seconds")
    free = iter(panels)
    for id in drawn:
        panel = next(free)
        _draw(panel, id, segments[id], streams[id])
        if scores[id]:
            below = next(free)
            _draw_scores(below, scores[id], segments[id][0].start_us)
            below.set_xlim(panel.get_xlim())
    if kinds := _kinds(event for id in drawn for event in streams[id]):
        handles = [Patch(color=COLOURS[kind], label=kind) for kind in kinds]
        figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), frameon=False, fontsize="small")
    with new_file(path) as beside:
        figure.savefig(beside, dpi=120)


def _kinds(events: Iterable[Event]) -> list[str]:
    """The kinds of anomaly that are drawn."""
    found: set[str] = set()
    for event in events:
        match event:
            case Anomaly(ongoing=False, kind=kind):
                found.add(kind)
            case AnomalyScores():
                found.update(SCORES)
    return [kind for kind in COLOURS if kind in found]


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
                panel.axvspan(first, first + length, color=COLOURS.get(event.kind, "red"), alpha=0.25, linewidth=0)
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


def _draw_scores(panel: Any, scores: Sequence[AnomalyScores], start_us: int) -> None:
    """One line per kind, the less normal the higher, up to RAREST. It breaks where no scores came for a moment."""
    for kind, field in SCORES.items():
        seconds: list[float] = []
        values: list[float] = []
        for score in scores:
            first, last = (score.start_us - start_us) / 1e6, (score.end_us - start_us) / 1e6
            if seconds and first - seconds[-1] > last - first:  # the end is where a next frame was to be expected
                seconds.append(first)
                values.append(nan)
            seconds += [first, last]
            values += [max(getattr(score, field), RAREST)] * 2
        panel.plot(seconds, values, color=COLOURS[kind], linewidth=0.8)
    panel.set_yscale("log")
    panel.invert_yaxis()
    panel.set_ylabel("false alarms an hour")
