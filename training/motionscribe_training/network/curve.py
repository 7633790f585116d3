"""The loss curve of a training run: its points, and the picture of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from motionscribe_models.new_file import new_file


@dataclass(frozen=True)
class Point:
    """Errors of the prediction at one validation: mean squared, normalised units."""

    iteration: int
    training: float
    """Mean over the batches since the last validation."""
    validation: float
    """Error on the held-back windows."""


def draw_curve(path: Path, points: Sequence[Point]) -> None:
    """Writes a PNG, with a mark at the best validation, whose weights are kept."""
    best = min(points, key=lambda p: p.validation)
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    iterations = [p.iteration for p in points]
    axes.plot(iterations, [p.training for p in points], marker=".", label="training")
    axes.plot(iterations, [p.validation for p in points], marker=".", label="validation")
    axes.plot(best.iteration, best.validation, "k*", markersize=10, label=f"best, {best.validation:.4f}")
    axes.set(xlabel="iteration", ylabel="mean squared error (normalised)", yscale="log")
    axes.grid(alpha=0.3, which="both")
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    with new_file(path) as beside:
        figure.savefig(beside, format="png")
