"""What a target wants, as small multiples over time and as an animated picture.

In: bodies, rows of places (T, J, 3) as feature_places.py makes them, each with a text. Out: a Figure, or a GIF. Left
limbs are blue, right ones orange; the body is seen from its left, a little from the front.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image, ImageColor, ImageDraw

from motionscribe_models.arrays import Array
from motionscribe_models.features import FeatureMap
from motionscribe_models.new_file import new_file
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.evaluation.pictures import COLOURS, DPI, FONT, GREYS, INK, WIDTH_IN
from motionscribe_training.explaining.feature_places import feature_places
from motionscribe_training.explaining.real_windows import RealWindows
from motionscribe_training.explaining.wanted_motion import Change, Wish

COLUMNS = 7
"""Frames of a row."""
ROW_IN = 1.25
PANEL = 170
"""Width of a row's body in a GIF, pixels; it is half as high again."""
LEFT, RIGHT = COLOURS[0], COLOURS[3]
PALETTE = ("#FFFFFF", GREYS[1], INK, LEFT, RIGHT)
FORWARD, ASIDE, RISE = 0.87, 0.5, 0.15
"""Of the point of view: limbs that lie behind each other come apart."""


@dataclass(frozen=True, eq=False)
class MovingBody:
    """A row of the picture."""

    text: str
    places: Array
    """(T, J, 3)"""


def wish_bodies(wish: Wish, real: RealWindows, feature_map: FeatureMap) -> list[MovingBody]:
    """The real window that excites the target most, then what it wants under each slowness.

    Raises LayoutError for features that no places follow from.
    """
    best = feature_places(feature_map, real.raw(real.windows[wish.examples[0]]))
    made = [
        MovingBody(
            f"chi {wanted.slowness:g}\n{wanted.ratio:.2f} of largest real\nenergy {wanted.energy:.2g}",
            feature_places(feature_map, wanted.features),
        )
        for wanted in wish.by_slowness
    ]
    energy = float(real.energy(real.windows[list(wish.examples[:1])]))
    return [MovingBody(f"largest real\nactivation {wish.largest:.2f}\nenergy {energy:.2g}", best), *made]


def change_bodies(change: Change, feature_map: FeatureMap) -> list[MovingBody]:
    """Before and after. Raises LayoutError for features that no places follow from."""
    return [
        MovingBody(f"{name}\nlog odds {activation:.1f}\nenergy {energy:.2g}", feature_places(feature_map, features))
        for name, features, activation, energy in zip(
            ("real motion", "changed"),
            (change.before, change.after),
            change.activations,
            change.energies,
            strict=True,
        )
    ]


def draw_bodies(bodies: Sequence[MovingBody], skeleton: Skeleton, rate_hz: float, title: str) -> Figure:
    """One row a body, COLUMNS frames from first to last."""
    figure = Figure(figsize=(WIDTH_IN, 0.6 + ROW_IN * len(bodies)), dpi=DPI, layout="constrained")
    seen, low, high = _seen(bodies)
    grid = figure.subplots(len(bodies), COLUMNS, squeeze=False, sharex=True, sharey=True)
    colours = [colour for _, _, colour in _limbs(skeleton)]
    for number, (row, body, view) in enumerate(zip(grid, bodies, seen, strict=True)):
        frames = np.linspace(0, len(view) - 1, COLUMNS).round().astype(int)
        for axes, frame in zip(row, frames, strict=True):
            bones = [view[frame][[parent, joint]] for joint, parent, _ in _limbs(skeleton)]
            axes.add_collection(LineCollection(bones, colors=colours, linewidths=2.2, capstyle="round"))
            axes.axhline(0, color=GREYS[1], linewidth=0.8, zorder=0)
            axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal", xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            if number == 0:
                axes.set_title(f"{frame / rate_hz:.1f} s", fontsize=FONT, color=INK)
        row[0].set_ylabel(body.text, fontsize=FONT, color=INK, rotation=0, ha="right", va="center")
    figure.suptitle(title, fontsize=FONT + 2, x=0.01, ha="left", color=INK)
    return figure


def save_bodies_gif(path: Path, bodies: Sequence[MovingBody], skeleton: Skeleton, rate_hz: float) -> None:
    """Writes the bodies side by side, moving at their own speed, again and again."""
    seen, low, high = _seen(bodies)
    height = PANEL * 3 // 2
    scale = min(PANEL / (high[0] - low[0]), height / (high[1] - low[1]))
    pictures = []
    for frame in range(len(seen[0])):
        # a palette of its own: to find one for each picture takes longer than to draw it
        picture = Image.new("P", (PANEL * len(bodies), height + 48), PALETTE.index("#FFFFFF"))
        picture.putpalette([part for colour in PALETTE for part in ImageColor.getrgb(colour)])
        draw = ImageDraw.Draw(picture)
        for column, (body, view) in enumerate(zip(bodies, seen, strict=True)):
            x = (column + 0.5) * PANEL + (view[frame, :, 0] - (low[0] + high[0]) / 2) * scale
            y = height - (view[frame, :, 1] - low[1]) * scale
            floor = height + low[1] * scale
            draw.line([(column * PANEL + 8, floor), ((column + 1) * PANEL - 8, floor)], PALETTE.index(GREYS[1]))
            for joint, parent, colour in _limbs(skeleton):
                draw.line([(x[parent], y[parent]), (x[joint], y[joint])], PALETTE.index(colour), 4)
            draw.text((column * PANEL + 8, height + 4), body.text, PALETTE.index(INK))
        pictures.append(picture)
    with new_file(path) as beside:
        pictures[0].save(
            beside, "GIF", save_all=True, append_images=pictures[1:], duration=round(1000 / rate_hz), loop=0
        )


def _seen(bodies: Sequence[MovingBody]) -> tuple[list[Array], Array, Array]:
    """Each body's joints on the picture's plane (T, J, 2), and the corners of what holds them all and the floor."""
    seen = []
    for body in bodies:
        x, y, z = np.moveaxis(body.places, 2, 0)
        seen.append(np.stack([FORWARD * z - ASIDE * x, y - RISE * (FORWARD * x + ASIDE * z)], axis=2))
    points = np.concatenate([view.reshape(-1, 2) for view in seen] + [np.zeros((1, 2))])
    return seen, points.min(axis=0) - 0.1, points.max(axis=0) + 0.1


def _limbs(skeleton: Skeleton) -> list[tuple[int, int, str]]:
    """Joint, parent and colour of each bone."""
    sides = {"left": LEFT, "right": RIGHT}
    return [
        (joint, parent, sides.get(name.split("_")[0], INK))
        for joint, (name, parent) in enumerate(zip(skeleton.joints, skeleton.parents, strict=True))
        if parent >= 0
    ]
