"""What do parts of it want to see? Units, directions and clusters, what turns one into another, and speed."""

from collections.abc import Sequence

from motionscribe_models.errors import LayoutError
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.chapters.explained import Explained
from motionscribe_training.explaining.layers import with_own_pca
from motionscribe_training.explaining.network import untrained
from motionscribe_training.explaining.real_windows import RealWindows, real_windows
from motionscribe_training.explaining.report import Block, Chapter, Film, Numbers, Picture, Table, Text
from motionscribe_training.explaining.speed import layer_invariance, wish_at_speeds
from motionscribe_training.explaining.target import Target, cluster, direction, rather, telling_units, unit
from motionscribe_training.explaining.wanted_motion import SLOWNESS, Wish, change, typical, wishes
from motionscribe_training.explaining.wanted_picture import change_bodies, draw_bodies, save_bodies_gif, wish_bodies

UNITS, DIRECTIONS, CLUSTERS = 2, 2, 3
"""That are asked what they want."""


def wanted_chapter(explained: Explained) -> Chapter:
    """What units, directions and clusters want, and whether speed matters to layers."""
    model, network, watched = explained.model, explained.network, explained.common.watched
    title, rates = "What do parts of it want to see?", model.feature_map.rates
    try:
        real = real_windows(network, watched, model.manifest.window)
    except TrainingError as error:
        return Chapter("wanted", title, [Text(f"Nothing can be made: {error}.")])
    targets = _targets(explained)
    found = wishes(targets, real, seed=explained.seed)
    invariance = layer_invariance(network, watched, explained.steps, rates)
    fresh = with_own_pca(untrained(network, explained.seed), watched, explained.steps, len(network.pca_components))
    control = layer_invariance(fresh, watched, explained.steps, rates)
    speeds = [wish_at_speeds(wish, real, watched, rates) for wish in found]
    columns = (
        "wants",
        *(f"slowness {chi:g}" for chi in SLOWNESS),
        "slowest over quickest",
        "half speed",
        "double speed",
    )
    rows = [_wish_row(wish, own) for wish, own in zip(found, speeds, strict=True)]
    layers = [
        [name, *(f"{own[speed]:.2f} ({control[name][speed]:.2f})" for speed in own)] for name, own in invariance.items()
    ]
    more = [name for name, own in invariance.items() if all(own[s] > control[name][s] for s in own)]
    heading = next(iter(invariance.values()))
    blocks: list[Block] = [
        Text(
            "A window is made that excites a part most, under a growing price on quick change (slowness). 1 is the "
            "real window that excites it most, 0 the mean of real windows. What is made is an answer of the network, "
            "no motion that a person need be able to do."
        ),
        Table(columns, rows),
        *_wish_pictures(explained, real, found),
        Text("Correlation of each layer with itself at another speed of the motion; in brackets, untrained."),
        Table(("layer", *(f"{speed:g} times" for speed in heading)), layers),
        Text(
            f"Layers that care less for speed than untrained ones: {', '.join(more) or 'none'}.",
            finding=True,
        ),
    ]
    numbers: Numbers = {
        "wishes": {wish.target.name: _wish_numbers(wish, own) for wish, own in zip(found, speeds, strict=True)},
        "speed": {"network": invariance, "untrained": control},
    }
    return Chapter("wanted", title, blocks, numbers)


def _targets(explained: Explained) -> list[Target]:
    network, evidence = explained.network, explained.evidence
    targets = [unit(index) for index in telling_units(network, explained.common.watched, UNITS)]
    targets += [direction(network, index, 1, explained.steps) for index in range(DIRECTIONS)]
    chosen = [own for own in explained.common.centres if own in evidence.clusters][:CLUSTERS]
    return targets + [cluster(evidence, own) for own in chosen]


def _wish_row(wish: Wish, speeds: dict[float, float]) -> list[str]:
    return [
        wish.target.name,
        *(f"{wanted.ratio:.2f}" for wanted in wish.by_slowness),
        f"{wish.speed_invariance:.2f}",
        *(f"{speeds[speed]:.2f}" if speed in speeds else "-" for speed in (0.5, 2.0)),
    ]


def _wish_numbers(wish: Wish, speeds: dict[float, float]) -> Numbers:
    return {
        "ratios": {f"{wanted.slowness:g}": wanted.ratio for wanted in wish.by_slowness},
        "energies": {f"{wanted.slowness:g}": wanted.energy for wanted in wish.by_slowness},
        "speed_invariance": wish.speed_invariance,
        "at_speed": speeds,
    }


def _wish_pictures(explained: Explained, real: RealWindows, found: Sequence[Wish]) -> list[Block]:
    """Of each wish, then of one cluster turned into another; none where features have no places."""
    model, blocks = explained.model, list[Block]()
    skeleton, rate_hz, clusters = model.manifest.skeleton, model.manifest.rate_hz, explained.evidence.clusters
    try:
        for wish in found:
            bodies = wish_bodies(wish, real, model.feature_map)
            name = f"wanted-{wish.target.name.replace(' ', '-')}"
            figure = draw_bodies(bodies, skeleton, rate_hz, wish.target.name)
            blocks.append(Picture(name, figure, f"{wish.target.name}: above, the real window that excites it most."))
        one, other = [own for own in explained.common.centres if own in clusters][:2]
        start = typical(explained.evidence, real, explained.common.watched, one)
        turned = change(rather(explained.evidence, other, one), real, start)
        path = explained.folder / "pictures" / "turned.gif"
        path.parent.mkdir(exist_ok=True)
        save_bodies_gif(path, change_bodies(turned, model.feature_map), skeleton, rate_hz)
        caption = (
            f"What would turn {explained.called(one)} into {explained.called(other)}: left as it was, right changed."
        )
        blocks.append(Film(path, caption))
    except (LayoutError, TrainingError) as error:
        blocks.append(Text(f"There is no picture: {error}."))
    return blocks
