"""Predicted against true segments as a picture: one bar per labelling on a common time axis.

In: label arrays (n,) at times (n,) int64 microseconds, and the truth where there is one. Out: an Ethogram, which is
plain data, and a PNG of it. A cluster that was matched to an action has the action's colour, so equal colours one
above the other are right labels; other clusters are grey. No scoring here: metrics.py does that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from motionscribe_models.new_file import new_file
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.metrics import Labels, match_clusters, runs

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442")
"""Distinct for colour-blind people too (Okabe and Ito, 2008). With more actions, colours repeat with a hatch."""
GREYS = ("#8C8C8C", "#BDBDBD", "#5C5C5C", "#D9D9D9")
HATCHES = ("", "///", "...", "xxx", "|||")
INK = "#222222"

WIDTH_IN, DPI = 10.0, 150  # 1500 pixels: sharp at the 880 that a README shows
FONT = 9.0


class Piece(NamedTuple):
    """A run of one label: seconds [start, end), the tone it is drawn in, and the text inside where it fits."""

    start_s: float
    end_s: float
    tone: int
    text: str


@dataclass(frozen=True)
class Ethogram:
    """Bars of one recording. Tones below `actions` are coloured, those from there on grey."""

    rows: Mapping[str, tuple[Piece, ...]]
    """Title -> pieces in order of time."""
    captions: Mapping[int, str]
    """Tone -> text of the legend."""
    tones: Mapping[int, int]
    """Cluster -> tone."""
    actions: int
    duration_s: float
    boundaries_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))
    """(b, 3): earliest, best and latest second of each true boundary."""


def ethogram(
    times_us: Labels,
    predicted: Mapping[str, Labels],
    truth: Labels | None = None,
    actions: tuple[str, ...] = (),
    boundaries_us: Labels | None = None,
    cluster_names: Mapping[int, str] | None = None,
) -> Ethogram:
    """Bars of `predicted` labellings, title -> (n,) cluster ids, below the bar of the truth.

    The first labelling decides which cluster is which action. `truth` (n,) numbers `actions`; -1 is left blank
    everywhere; `boundaries_us` (b, 3) are shaded. Raises ValueError for labels that do not fit the times.
    """
    names = dict(cluster_names or {})
    for labels in predicted.values():
        if len(labels) != len(times_us):
            raise ValueError(f"expected a label for each of {len(times_us)} times, got {len(labels)}")
    # seconds at which each frame begins; the last lasts as long as the one before
    edges = np.append(times_us, 2 * times_us[-1] - times_us[-2] if len(times_us) > 1 else times_us[-1] + 1)
    edges_s = (edges - times_us[0]) / 1e6
    tones = _tones(predicted, truth, len(actions))
    rows: dict[str, tuple[Piece, ...]] = {}
    captions: dict[int, str] = {}
    if truth is not None:
        rows["annotated"] = tuple(
            Piece(edges_s[a], edges_s[b], label, actions[label]) for a, b, label in runs(truth) if label >= 0
        )
        captions = dict(enumerate(actions))
    for cluster, tone in sorted(tones.items(), key=lambda pair: pair[1]):
        known = f"cluster {cluster}" + (f" “{names[cluster]}”" if names.get(cluster) else "")
        captions[tone] = f"{actions[tone]} = {known}" if truth is not None and tone < len(actions) else known
    for title, labels in predicted.items():
        rows[title] = tuple(
            Piece(edges_s[a], edges_s[b], tones[label], names.get(label) or str(label))
            for a, b, label in runs(labels)
            if label >= 0
        )
    marks = np.zeros((0, 3)) if boundaries_us is None else (boundaries_us - times_us[0]) / 1e6
    coloured = len(actions) if truth is not None else len(tones)
    return Ethogram(rows, captions, tones, coloured, float(edges_s[-1]), marks)


def check_picture(path: Path) -> None:
    """Raises TrainingError for another ending than .png."""
    if path.suffix != ".png":
        raise TrainingError(f"{path}: expected a name ending in .png, got {path.suffix or 'no ending'}")


def save_ethogram(path: Path, bars: Ethogram, title: str = "") -> None:
    """Writes a PNG, 1500 pixels wide, with a legend below the bars."""
    lines = -(-len(bars.captions) // 4)
    height = 0.75 + 0.42 * len(bars.rows) + 0.21 * lines + (0.25 if title else 0)
    figure = Figure(figsize=(WIDTH_IN, height), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    draw_ethogram(axes, bars)
    if title:
        axes.set_title(title, fontsize=FONT + 1, loc="left", color=INK)
    add_legend(figure, bars)
    with new_file(path) as beside:
        figure.savefig(beside, format="png")


def add_legend(figure: Figure, bars: Ethogram) -> None:
    """Adds a legend of tones below everything else; the figure's layout must be constrained."""
    handles = [
        Patch(
            facecolor=colour_of(tone, bars.actions),
            hatch=hatch_of(tone, bars.actions),
            edgecolor="white",
            label=bars.captions[tone],
        )
        for tone in sorted(bars.captions)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=FONT, frameon=False)


def draw_ethogram(axes: Axes, bars: Ethogram) -> None:
    """Draws the bars of all rows, the first on top, and the shaded boundaries."""
    for earliest, best, latest in bars.boundaries_s.tolist():
        axes.axvspan(earliest, latest, color="#000000", alpha=0.13, linewidth=0, zorder=0)
        axes.axvline(best, color=INK, linewidth=0.8, linestyle=(0, (2, 2)), zorder=3)
    points_per_second = 0.85 * 72 * WIDTH_IN / bars.duration_s
    for row, pieces in enumerate(bars.rows.values()):
        for start_s, end_s, tone, text in pieces:
            colour, hatch, length = colour_of(tone, bars.actions), hatch_of(tone, bars.actions), end_s - start_s
            axes.barh(
                row, length, 0.72, start_s, facecolor=colour, hatch=hatch, edgecolor="white", linewidth=1, zorder=2
            )
            if len(text) * 0.62 * FONT < length * points_per_second:
                # hatches and text do not go together
                backing = {"facecolor": colour, "edgecolor": "none", "pad": 1.5} if hatch else None
                middle, ink = start_s + length / 2, _ink_on(colour)
                axes.text(middle, row, text, fontsize=FONT, ha="center", va="center", zorder=4, color=ink, bbox=backing)
    axes.set_xlim(0, bars.duration_s)
    axes.set_ylim(len(bars.rows) - 0.45, -0.55)
    axes.set_yticks(range(len(bars.rows)), list(bars.rows), fontsize=FONT, color=INK)
    axes.tick_params(axis="x", labelsize=FONT, colors=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("time, s", fontsize=FONT, color=INK)
    axes.spines[["top", "right", "left"]].set_visible(False)


def colour_of(tone: int, actions: int) -> str:
    """Fill colour of a tone."""
    return COLOURS[tone % len(COLOURS)] if tone < actions else GREYS[(tone - actions) % len(GREYS)]


def _tones(predicted: Mapping[str, Labels], truth: Labels | None, actions: int) -> dict[int, int]:
    """Cluster -> the tone of the action that it was matched to, or a tone of its own."""
    tones: dict[int, int] = {}
    labellings = list(predicted.values())
    if truth is not None and labellings:
        known = truth >= 0
        matched = match_clusters(truth[known], labellings[0][known])
        pairs = zip(labellings[0][known].tolist(), matched.tolist(), strict=True)
        tones = {cluster: tone for cluster, tone in pairs if 0 <= tone < actions}
    free = actions if truth is not None else 0
    for labels in labellings:
        for cluster in dict.fromkeys(labels[labels >= 0].tolist()):
            if cluster not in tones:
                tones[cluster] = free
                free += 1
    return tones


def hatch_of(tone: int, actions: int) -> str:
    """Hatch of a tone, "" for the first round of colours."""
    number, colours = (tone, COLOURS) if tone < actions else (tone - actions, GREYS)
    return HATCHES[number // len(colours) % len(HATCHES)]


def _ink_on(colour: str) -> str:
    red, green, blue = to_rgb(colour)
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.5 else INK
