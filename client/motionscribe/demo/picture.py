"""The picture of the demo: the truth, what was found and the anomalies, as bars above each other on one time axis.

In: a synthetic performance, events, and the action that each cluster was matched to. Out: a picture file. A matched
cluster has its action's colour, so equal colours above each other are right; the others are grey. Needs the extra
`report`. Recorded streams, which have no truth, are drawn by sinks/ethogram.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from pathlib import Path

from motionscribe.demo.performer import Performance
from motionscribe.events import Anomaly, Event, SegmentEnded
from motionscribe_models.errors import MissingExtraError
from motionscribe_models.new_file import new_file

try:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
except ImportError as missing:
    raise MissingExtraError("report", "the demo's picture") from missing

# told apart by colour-blind eyes too: Okabe and Ito, 2008
COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#000000")
GREYS = ("#BDBDBD", "#8C8C8C", "#D9D9D9")
ANOMALY = "#C00000"
INCHES = (10.0, 2.6)
DPI = 150
# a bar of fewer seconds has no room for a text
TEXT_S = 1.2


def save_picture(path: Path, performance: Performance, events: Sequence[Event], names: Mapping[int, str]) -> None:
    """PNG, SVG or PDF by the ending of `path`. Raises OSError, ValueError for another ending."""
    actions = list(dict.fromkeys(segment.name for segment in performance.segments))
    colours = dict(zip(actions, cycle(COLOURS), strict=False))
    found = [event for event in events if isinstance(event, SegmentEnded)]
    unmatched = [cluster for cluster in dict.fromkeys(segment.cluster for segment in found) if cluster not in names]
    greys = dict(zip(unmatched, cycle(GREYS), strict=False))

    times_s = performance.recording.timestamps_us / 1e6
    end_s = float(times_s[-1] + times_s[1] - times_s[0])
    starts_s = [float(times_s[segment.start_seq - 1]) for segment in performance.segments]
    figure = Figure(figsize=INCHES, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    spans = zip(starts_s, [*starts_s[1:], end_s], performance.segments, strict=True)
    _bars(axes, 0, ((start, end, colours[segment.name], segment.name) for start, end, segment in spans))
    _bars(
        axes,
        1,
        (
            (
                segment.start_us / 1e6,
                segment.end_us / 1e6,
                colours[names[segment.cluster]] if segment.cluster in names else greys[segment.cluster],
                str(segment.cluster),
            )
            for segment in found
        ),
    )
    anomalies = [event for event in events if isinstance(event, Anomaly) and not event.ongoing]
    _bars(axes, 2, ((anomaly.start_us / 1e6, anomaly.end_us / 1e6, ANOMALY, "") for anomaly in anomalies))
    axes.set_yticks(range(3), ["truth", "cluster", "anomaly"])
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, end_s)
    axes.set_ylim(2.5, -0.5)
    axes.set_xlabel("seconds")
    axes.set_title("synthetic performance, labelled live", loc="left", fontsize="medium")
    axes.spines[["top", "right", "left"]].set_visible(False)
    figure.legend(handles=_legend(colours, names), loc="outside right upper", frameon=False, fontsize="small")
    with new_file(path) as beside:
        figure.savefig(beside)


def _bars(axes: Axes, row: int, bars: Iterable[tuple[float, float, str, str]]) -> None:
    """Bars from start to end (s) in a colour, with a text inside where there is room."""
    for start_s, end_s, colour, text in bars:
        axes.barh(row, end_s - start_s, 0.8, start_s, color=colour, edgecolor="white", linewidth=0.5)
        if end_s - start_s >= TEXT_S:
            backing = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8} if text else None
            axes.text((start_s + end_s) / 2, row, text, ha="center", va="center", fontsize="x-small", bbox=backing)


def _legend(colours: Mapping[str, str], names: Mapping[int, str]) -> list[Patch]:
    clusters = {action: cluster for cluster, action in names.items()}
    matched = {action: f"{action} = {clusters[action]}" if action in clusters else action for action in colours}
    return [Patch(color=colour, label=matched[action]) for action, colour in colours.items()] + [
        Patch(color=GREYS[0], label="matched to none")
    ]
