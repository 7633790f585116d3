"""What does each layer see as alike? Segments as each layer sees them, beside both controls."""

from collections.abc import Sequence

from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.chapters.explained import CONTROLS, Explained, fresh_networks
from motionscribe_training.explaining.geometry import LayerGeometry, Verdict, best, geometry
from motionscribe_training.explaining.geometry_picture import layers_figure, map_figure
from motionscribe_training.explaining.report import Chapter, Numbers, Picture, Table, Text


def geometry_chapter(explained: Explained) -> Chapter:
    """What each layer holds together. Without actions to compare, it says so."""
    title = "What does each layer see as alike?"
    try:
        found = geometry(
            explained.network, fresh_networks(explained), explained.common.watched, explained.steps, explained.seed
        )
    except TrainingError as error:
        return Chapter("geometry", title, [Text(f"Nothing can be compared: {error}.")])
    shown = best(found)
    columns = (
        "layer",
        "smoothness",
        "random order",
        "untrained",
        "advantage",
        "cross-label mass",
        "neighbours",
        "vote",
    )
    return Chapter(
        "geometry",
        title,
        [
            Text(
                "Segments are nodes of a graph whose edges join those that a layer sees as alike (windowed dynamic "
                "time warping, non-negative kernel regression). Smoothness is the share of its edges that a segment "
                "has with other labels: 0 is best. Beside it: the same with labels in random order (95 % of 1000), "
                f"and the same layer of {CONTROLS} untrained networks."
            ),
            Text(_geometry_finding(found), finding=True),
            Table(columns, [_geometry_row(layer) for layer in found]),
            Picture("geometry-layers", layers_figure(found), "Smoothness of each layer beside its controls."),
            Picture("geometry-map", map_figure(shown), f"Segments as the layer “{shown.layer}” sees them."),
        ],
        {layer.layer: _geometry_numbers(layer) for layer in found},
    )


def _geometry_finding(found: Sequence[LayerGeometry]) -> str:
    better = [layer.layer for layer in found if layer.verdict is Verdict.BOTH]
    chance = [layer.layer for layer in found if layer.verdict is Verdict.NEITHER]
    said = f"{len(found) - len(chance)} of {len(found)} layers hold the labels together better than chance"
    said += f" (not: {', '.join(chance)}). " if chance else ". "
    if better:
        return said + f"Better than untrained networks, by more than two standard errors: {', '.join(better)}."
    return said + (
        "No layer does so better than the same layer of untrained networks, by more than two standard errors: what "
        "separates these segments is in the poses, and training is not needed for it."
    )


def _geometry_row(layer: LayerGeometry) -> list[str]:
    more, error = layer.advantage
    return [
        layer.layer,
        f"{layer.smoothness:.3f}",
        f"{layer.null.low:.2f} to {layer.null.high:.2f}",
        "the same" if not any(layer.advantage) else f"{min(layer.untrained):.3f} to {max(layer.untrained):.3f}",
        f"{more:+.3f} ± {error:.3f}",
        f"{layer.cross_label_mass:.3f}",
        f"{layer.neighbours:.1f}",
        f"{layer.vote:.2f}",
    ]


def _geometry_numbers(layer: LayerGeometry) -> Numbers:
    return {
        "smoothness": layer.smoothness,
        "null": [layer.null.mean, layer.null.low, layer.null.high],
        "untrained": list(layer.untrained),
        "advantage": list(layer.advantage),
        "cross_label_mass": layer.cross_label_mass,
        "neighbours": layer.neighbours,
        "vote": layer.vote,
        "verdict": layer.verdict.value,
        "segments": len(layer.segments),
    }
