"""Clusters as pictures: their dendrogram, which follows which and for how long, their use in time, and real examples.

In: portraits, transitions and usage of clusters in common, and what was watched. Out: a Figure for each. Bodies are
turned so that their widest side is in view; the caller says which joint hangs on which and which axis is up.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from scipy.cluster.hierarchy import dendrogram, linkage

from motionscribe_models.arrays import Array
from motionscribe_training.evaluation.pictures import COLOURS, DPI, FONT, GREYS, HATCHES, INK, WIDTH_IN
from motionscribe_training.explaining.cluster_portraits import Exemplar, Portrait
from motionscribe_training.explaining.transitions import Transitions, Usage
from motionscribe_training.explaining.watched import Watched

POSES = 6
"""Poses of an example, evenly spread over its time."""
MOST = 12
"""Clusters of a picture of examples or of transitions: those of the most motion."""


def dendrogram_figure(portraits: Sequence[Portrait]) -> Figure:
    """Average linkage of the centres of at least two clusters. Raises ValueError for fewer."""
    if len(portraits) < 2:
        raise ValueError(f"expected at least two clusters to compare, got {len(portraits)}")
    figure = Figure(figsize=(WIDTH_IN, 1.2 + 0.24 * len(portraits)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    dendrogram(
        linkage(np.array([portrait.centre for portrait in portraits]), "average"),
        ax=axes,
        orientation="left",
        labels=[f"{_title(portrait.cluster, portrait.name)}, {portrait.seconds:.0f} s" for portrait in portraits],
        color_threshold=0,
        above_threshold_color=INK,
        leaf_font_size=FONT,
    )
    axes.set_xlabel("distance at which clusters join, embedding units", fontsize=FONT, color=INK)
    axes.tick_params(labelsize=FONT, colors=INK)
    axes.spines[["top", "left", "right"]].set_visible(False)
    return figure


def transition_figure(found: Transitions, names: Mapping[int, str]) -> Figure:
    """Clusters on a circle, arrows as wide as changes are likely, and beside it how long visits last."""
    chosen = sorted(range(len(found.clusters)), key=lambda i: -found.dwell[i].visits)[:MOST]
    figure = Figure(figsize=(WIDTH_IN, 5.2), dpi=DPI, layout="constrained")
    circle, lasting = figure.subplots(1, 2, width_ratios=(1.15, 1))
    _draw_circle(circle, found, names, chosen)
    _draw_dwell(lasting, found, names, chosen)
    return figure


def usage_figure(found: Usage, names: Mapping[int, str]) -> Figure:
    """Shares of each span of time, stacked."""
    figure = Figure(figsize=(WIDTH_IN, 3.2), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    starts = np.arange(len(found.shares)) * found.span_s
    base = np.zeros(len(starts))
    for i, cluster in enumerate(found.clusters):
        axes.bar(
            starts,
            found.shares[:, i],
            width=found.span_s,
            bottom=base,
            align="edge",
            color=_colour(cluster),
            hatch=HATCHES[(cluster - 1) // len(COLOURS) % len(HATCHES)],
            edgecolor="white",
            label=_title(cluster, names.get(cluster, "")),
        )
        base += found.shares[:, i]
    axes.set(xlim=(0, len(starts) * found.span_s), ylim=(0, 1))
    axes.set_xlabel("time since the recording began, s", fontsize=FONT, color=INK)
    axes.set_ylabel(f"share of each {found.span_s:g} s", fontsize=FONT, color=INK)
    axes.tick_params(labelsize=FONT, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside right upper", fontsize=FONT, frameon=False)
    return figure


def exemplar_figure(
    portraits: Sequence[Portrait], watched: Sequence[Watched], parents: Sequence[int], up: int
) -> Figure:
    """A row for each of at most MOST clusters: its typical piece, the one nearest to its centre, and its newest.

    `parents` (J,) as a skeleton has them, -1 for a root; `up` is the axis that points up, 0 to 2. Raises ValueError for
    joints that have no place.
    """
    if any(part.places is None for part in watched):
        raise ValueError("expected joints that have places, got a recording without")
    rows = portraits[:MOST]
    figure = Figure(figsize=(WIDTH_IN, 0.5 + 1.05 * len(rows)), dpi=DPI, layout="constrained")
    grid = figure.subplots(len(rows), 3, squeeze=False)
    for axes, title in zip(grid[0], ("most typical course", "nearest to the centre", "newest"), strict=True):
        axes.set_title(title, fontsize=FONT, color=INK)
    for line, portrait in zip(grid, rows, strict=True):
        often = f"{portrait.pieces} times, {portrait.seconds / portrait.pieces:.1f} s"
        label = f"{_title(portrait.cluster, portrait.name)}\n{often}"
        line[0].set_ylabel(label, fontsize=FONT - 1, color=INK, rotation=0, ha="right", va="center")
        for axes, exemplar in zip(line, (portrait.typical, portrait.nearest[0], portrait.newest[0]), strict=True):
            draw_exemplar(axes, watched, exemplar, parents, up)
    return figure


def draw_exemplar(axes: Axes, watched: Sequence[Watched], exemplar: Exemplar, parents: Sequence[int], up: int) -> None:
    """POSES of one piece beside each other, the later the darker, and below it where it comes from."""
    part, piece = watched[exemplar.recording], exemplar.piece
    places = part.places
    if places is None:
        raise ValueError(f"{part.name}: expected joints that have places")
    own = places[piece.start * part.stride : piece.end * part.stride]
    flat = _in_view(own[np.linspace(0, len(own) - 1, POSES).round().astype(int)], up)  # (POSES, J, 2)
    height = float(np.ptp(flat[:, :, 1])) or 1.0
    bones = [(joint, parent) for joint, parent in enumerate(parents) if parent >= 0]
    for n, pose in enumerate(flat / height):
        moved = pose + np.array([0.8 * n, 0.0])
        lines = LineCollection([moved[[joint, parent]] for joint, parent in bones], colors=INK, linewidths=1.3)
        lines.set_alpha(0.35 + 0.65 * n / (POSES - 1))
        axes.add_collection(lines)
    start_s = float(part.times_us[piece.start] - part.times_us[0]) / 1e6
    axes.set_xlabel(f"{part.name}, at {start_s:.1f} s", fontsize=FONT - 2, color=INK, labelpad=1)
    axes.set(xlim=(-0.6, 0.8 * POSES - 0.2), ylim=(-0.62, 0.62), xticks=[], yticks=[], aspect="equal")
    axes.spines[:].set_visible(False)


def _in_view(poses: Array, up: int) -> Array:
    """(p, J, 3) to (p, J, 2) around their middles; the direction in which the body is widest lies across."""
    level = [axis for axis in range(3) if axis != up]
    centred = poses - poses.mean(axis=1, keepdims=True)
    _, _, directions = np.linalg.svd(centred[:, :, level].reshape(-1, 2), full_matrices=False)
    return np.stack([centred[:, :, level] @ directions[0], centred[:, :, up]], axis=2)


def _draw_circle(axes: Axes, found: Transitions, names: Mapping[int, str], chosen: Sequence[int]) -> None:
    angles = np.pi / 2 - 2 * np.pi * np.arange(len(chosen)) / len(chosen)
    places = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    likely = found.probabilities
    for one, i in enumerate(chosen):
        for other, j in enumerate(chosen):
            if found.counts[i, j]:
                arrow = FancyArrowPatch(
                    tuple(places[one]),
                    tuple(places[other]),
                    arrowstyle="-|>",
                    mutation_scale=9,
                    connectionstyle="arc3,rad=0.15",
                    shrinkA=13,
                    shrinkB=13,
                    linewidth=0.5 + 2.5 * likely[i, j],
                    color=GREYS[2] if likely[i, j] < 0.5 else INK,
                )
                axes.add_patch(arrow)
    for (x, y), i in zip(places.tolist(), chosen, strict=True):
        axes.plot(x, y, "o", markersize=22, color="white", zorder=3)
        axes.plot(x, y, "o", markersize=19, color="white", markeredgecolor=_colour(found.clusters[i]), mew=3, zorder=3)
        axes.text(x, y, str(found.clusters[i]), ha="center", va="center", fontsize=FONT, color=INK, zorder=4)
        name = names.get(found.clusters[i], "")
        if name and name != str(found.clusters[i]):
            axes.text(1.3 * x, 1.3 * y, name, ha="center", va="center", fontsize=FONT, color=INK)
    axes.set(xlim=(-1.6, 1.6), ylim=(-1.45, 1.45), aspect="equal")
    axes.set_title("what follows what: the wider, the likelier", fontsize=FONT, color=INK)
    axes.axis("off")


def _draw_dwell(axes: Axes, found: Transitions, names: Mapping[int, str], chosen: Sequence[int]) -> None:
    for row, i in enumerate(chosen):
        dwell = found.dwell[i]
        if dwell.quartiles_s:
            low, middle, high = dwell.quartiles_s
            axes.barh(row, high - low, 0.55, low, color=_colour(found.clusters[i]), edgecolor="white")
            axes.plot([middle, middle], [row - 0.34, row + 0.34], color=INK, linewidth=2)
    ticks = [f"{_title(found.clusters[i], names.get(found.clusters[i], ''))} ({found.dwell[i].visits})" for i in chosen]
    axes.set_yticks(range(len(chosen)), ticks, fontsize=FONT, color=INK)
    axes.set_ylim(len(chosen) - 0.4, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("a visit lasts, s: quartiles and median", fontsize=FONT, color=INK)
    axes.set_title("cluster (visits)", fontsize=FONT, color=INK, loc="left")
    axes.tick_params(labelsize=FONT, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)


def _title(cluster: int, name: str) -> str:
    return f"{cluster} “{name}”" if name and name != str(cluster) else str(cluster)


def _colour(cluster: int) -> str:
    """The same for a cluster in every picture."""
    return COLOURS[(cluster - 1) % len(COLOURS)]
