"""Whether a network is trained, as one picture: errors, separation, agreement and variance along its checkpoints.

In: the stages of one or more runs, and those of untrained networks of the same shape (trained.py). Out: a Figure with a
panel for each question. The mean of the untrained networks is a dashed line in the colour of each measure, their range
a band: what lies there, training does not explain.
"""

from collections.abc import Callable, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from motionscribe_training.evaluation.pictures import COLOURS, DPI, FONT, GREYS, INK, WIDTH_IN
from motionscribe_training.explaining.trained import Stage

Measure = Callable[[Stage], float | None]

MARKERS = ("o", "s", "^")
ROOM = 0.5
"""Share of a panel's height that is added for its legend."""


def trained_figure(runs: Sequence[Sequence[Stage]], untrained: Sequence[Stage] = ()) -> Figure:
    """Runs of stages with a place in training. Raises ValueError for a stage without one."""
    if any(stage.point is None for run in runs for stage in run):
        raise ValueError("expected stages of a training, got one of an untrained network")
    usual = untrained[0] if untrained else runs[0][0]  # both ratios are drawn over its own: they are of other sizes
    figure = Figure(figsize=(WIDTH_IN, 6.4), dpi=DPI, layout="constrained")
    axes = figure.subplots(2, 2, sharex=True)
    lines: tuple[tuple[Axes, str, Sequence[tuple[str, Measure]], str], ...] = (
        (
            axes[0, 0],
            "Prediction error",
            (
                ("training", lambda stage: stage.point.training if stage.point else None),
                ("validation", lambda stage: stage.point.validation if stage.point else None),
                ("recordings shown here", lambda stage: stage.error),
            ),
            "mean squared error (normalised)",
        ),
        (
            axes[0, 1],
            "Separation",
            (
                ("groups of k-means", lambda stage: stage.states.fisher / usual.states.fisher),
                ("labels", lambda stage: stage.pieces.fisher / usual.pieces.fisher),
            ),
            f"Fisher ratio, {'first untrained' if untrained else 'first stage'} = 1",
        ),
        (
            axes[1, 0],
            "Labels found, clusters kept",
            (
                ("seconds nearest to their own action", lambda stage: stage.quality),
                ("k-means against labels, ARI", lambda stage: stage.agreement),
                ("k-means against the stage before, ARI", lambda stage: stage.stability),
            ),
            "share, or ARI",
        ),
        (
            axes[1, 1],
            "Variance in three components",
            (
                ("states", lambda stage: stage.states.leading),
                ("means of pieces", lambda stage: stage.pieces.leading),
            ),
            "share of variance",
        ),
    )
    for panel, title, measures, unit in lines:
        _draw(panel, runs, untrained, measures)
        _finish(panel, logarithmic=panel is axes[0, 0])
        panel.set_title(title, fontsize=FONT + 1, loc="left", color=INK)
        panel.set_ylabel(unit, fontsize=FONT, color=INK)
    for panel in axes[1]:
        panel.set_xlabel("training iteration", fontsize=FONT, color=INK)
    return figure


def _draw(
    axes: Axes, runs: Sequence[Sequence[Stage]], untrained: Sequence[Stage], measures: Sequence[tuple[str, Measure]]
) -> None:
    for (label, measure), colour, marker in zip(measures, COLOURS, MARKERS, strict=False):
        for n, run in enumerate(runs):
            pairs = [
                (stage.point.iteration, value) for stage in run if stage.point and (value := measure(stage)) is not None
            ]
            places, values = zip(*pairs, strict=True) if pairs else ((), ())
            axes.plot(
                places, values, color=colour, marker=marker, markersize=3, linewidth=1.2, label="" if n else label
            )
        controls = [value for stage in untrained if (value := measure(stage)) is not None]
        if controls:
            middle = sum(controls) / len(controls)
            axes.axhspan(min(controls), max(controls), color=colour, alpha=0.12, linewidth=0)
            axes.axhline(middle, color=colour, linewidth=1, linestyle=(0, (4, 3)))
    if untrained:
        axes.plot([], [], color=GREYS[2], linewidth=1, linestyle=(0, (4, 3)), label="untrained network, same colour")


def _finish(axes: Axes, *, logarithmic: bool) -> None:
    low, high = axes.get_ylim()
    if logarithmic:
        low = min(float(value) for line in axes.lines for value in np.ravel(line.get_ydata()) if value > 0) / 1.1
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_locator(NullLocator())
        axes.set_ylim(low, high * (high / low) ** ROOM)
    else:
        axes.set_ylim(low, high + ROOM * (high - low))
    axes.tick_params(labelsize=FONT, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25)
    axes.legend(fontsize=FONT - 1.5, frameon=False, loc="upper left")
