"""The geometry of a network as two pictures: how smooth each layer is beside its controls, and a map of one layer.

In: LayerGeometry. Out: figures that the caller saves. On the map, segments that the layer sees as alike lie close.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from motionscribe_models.arrays import Array
from motionscribe_training.evaluation.pictures import COLOURS, DPI, FONT, GREYS, INK, WIDTH_IN
from motionscribe_training.explaining.geometry import LayerGeometry, Verdict

TRAINED, UNTRAINED = COLOURS[0], COLOURS[3]
MARKERS = "osD^vPX"
"""One for each round of colours, for labels as for colour-blind people."""
ROW_IN = 0.34


def layers_figure(found: Sequence[LayerGeometry]) -> Figure:
    """A row for each layer, the first on top: the trained network's smoothness, the untrained ones', the null.

    The mark of the trained network is filled where the layer beats both controls.
    """
    figure = Figure(figsize=(WIDTH_IN, 1.5 + ROW_IN * len(found)), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    for row, layer in enumerate(found):
        null = layer.null
        axes.barh(row, null.high - null.low, 0.5, null.low, color=GREYS[3], zorder=1)
        axes.plot([null.mean] * 2, [row - 0.25, row + 0.25], color=GREYS[2], linewidth=1.5, zorder=2)
        axes.plot(layer.untrained, [row] * len(layer.untrained), "|", color=UNTRAINED, ms=13, mew=1.8, zorder=3)
        filled = TRAINED if layer.verdict is Verdict.BOTH else "white"
        axes.plot(layer.smoothness, row, "o", color=TRAINED, markerfacecolor=filled, ms=7, mew=1.8, zorder=4)
    # one of each for the legend, out of sight
    axes.plot([], [], "o", color=TRAINED, ms=7, label="trained, beats both controls")
    axes.plot([], [], "o", color=TRAINED, markerfacecolor="white", ms=7, mew=1.8, label="trained, does not")
    axes.plot([], [], "|", color=UNTRAINED, ms=13, mew=1.8, label="untrained networks")
    axes.barh(0, 0, color=GREYS[3], label="labels in random order: 95 % and mean")
    axes.set_xlim(0, 1.02 * max([layer.null.high for layer in found] + [layer.smoothness for layer in found]))
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_yticks(range(len(found)), [layer.layer for layer in found], fontsize=FONT, color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(
        f"label smoothness, share of weight with other labels (0 is best); {len(found[0].segments)} segments",
        fontsize=FONT,
        color=INK,
    )
    _finish(axes)
    axes.grid(axis="x", color=GREYS[3], linewidth=0.5, zorder=0)
    axes.spines["left"].set_visible(False)
    figure.legend(loc="outside lower center", ncols=4, fontsize=FONT, frameon=False)
    return figure


def map_figure(layer: LayerGeometry) -> Figure:
    """A mark for each segment, coloured by its label; frequent labels come first in the legend."""
    points = classical_mds(layer.distances)
    labels = np.array(layer.segments)
    figure = Figure(figsize=(WIDTH_IN, 0.55 * WIDTH_IN), dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    names, counts = np.unique(labels, return_counts=True)
    for tone, name in enumerate(names[np.argsort(-counts, kind="stable")]):
        own = points[labels == name]
        marker, colour = MARKERS[tone // len(COLOURS) % len(MARKERS)], COLOURS[tone % len(COLOURS)]
        caption = f"{str(name).replace('_', ' ')} ({len(own)})"
        axes.scatter(
            own[:, 0], own[:, 1], s=48, marker=marker, color=colour, edgecolor=INK, linewidth=0.6, label=caption
        )
    axes.set_aspect("equal", adjustable="datalim")
    axes.set_title(f"{layer.layer}: segments that it sees as alike lie close", fontsize=FONT + 1, loc="left", color=INK)
    for which in (axes.xaxis, axes.yaxis):
        which.set_major_locator(MaxNLocator(5))
    axes.set_xlabel("units of the layer, root mean square", fontsize=FONT, color=INK)
    _finish(axes)
    figure.legend(loc="outside right center", fontsize=FONT, frameon=False)
    return figure


def classical_mds(distances: Array) -> Array:
    """(N, 2) points whose distances are as near to `distances` (N, N) as two dimensions allow, up to a rotation.

    Torgerson's method: the two leading eigenvectors of the centred squares. Distances that no space has make negative
    eigenvalues, which are no dimension.
    """
    squares = distances**2
    centred = -(squares - squares.mean(axis=0) - squares.mean(axis=1)[:, None] + squares.mean()) / 2
    values, vectors = np.linalg.eigh(centred)
    points: Array = vectors[:, :-3:-1] * np.sqrt(np.maximum(values[:-3:-1], 0))
    return points


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=FONT, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
