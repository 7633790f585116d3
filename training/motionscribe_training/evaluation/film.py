"""The pictures of a film: the skeleton, the path of its embedding, and the label bars with a cursor, side by side.

In: a Scene: joint positions (n, J, 3), embedding (m, E) of moments, and the Ethogram of pictures.py, all on the same
clock. Out: the picture of any time; video.py makes a file of many. It computes no labels and no embedding.
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_training.evaluation.metrics import Labels
from motionscribe_training.evaluation.pictures import FONT, GREYS, INK, Ethogram, add_legend, colour_of, draw_ethogram

TRAIL_S = 2.0
"""Seconds of the embedding that are drawn as a trail."""

SIZE_IN, DPI = (10.0, 6.8), 100
SIDES = {"l": "#0072B2", "r": "#D55E00"}
"""Left and right limbs, by the first letter of CMU's joint names."""


@dataclass(frozen=True)
class Scene:
    """The content of a film. Times are int64 microseconds and increase. Raises ValueError where lengths differ."""

    times_us: Labels
    """(n,)"""
    positions: Array
    """(n, J, 3), any unit."""
    joints: tuple[str, ...]
    parents: tuple[int, ...]
    up: int
    """Index of the axis that points up."""
    moments_us: Labels
    """(m,) time of each embedding."""
    embedding: Array
    """(m, E), E >= 2; its two main directions are drawn."""
    tones: Labels
    """(m,) tone of each moment, as in `bars`; -1 for none."""
    bars: Ethogram

    def __post_init__(self) -> None:
        frames, joints = self.positions.shape[:2]
        if self.positions.shape != (len(self.times_us), len(self.joints), 3) or len(self.parents) != joints:
            raise ValueError(
                f"expected positions ({len(self.times_us)}, {len(self.joints)}, 3) with as many parents, "
                f"got {self.positions.shape} and {len(self.parents)}"
            )
        if self.embedding.ndim != 2 or self.embedding.shape[1] < 2 or frames == 0:
            raise ValueError(f"expected frames and an embedding (m, 2 or more), got {frames}, {self.embedding.shape}")
        if not len(self.moments_us) == len(self.embedding) == len(self.tones):
            raise ValueError(
                f"expected as many times and tones as embeddings, {len(self.embedding)}, "
                f"got {len(self.moments_us)} and {len(self.tones)}"
            )


class Film:
    """One figure that can show any time of its scene.

    What stands still is drawn once, and so is each point of the embedding; what moves is drawn over it, each time.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
        self._canvas = FigureCanvasAgg(self.figure)
        rows = len(scene.bars.rows)
        grid = self.figure.add_gridspec(2, 2, width_ratios=(1.0, 1.2), height_ratios=(1.0, 0.12 + 0.1 * rows))
        self._draw_body(self.figure.add_subplot(grid[0, 0]))
        self._draw_embedding(self.figure.add_subplot(grid[0, 1]))
        self._draw_bars(self.figure.add_subplot(grid[1, :]))
        add_legend(self.figure, scene.bars)
        moving: list[Artist] = [self._bones, self._floor, self._clock, self._trail, self._head]
        self._moving = [*moving, self._future, self._cursor]
        for artist in (*self._moving, self._points):
            artist.set_animated(True)  # not drawn with the rest
        # laid out once: a panel that moved from picture to picture would flicker
        self.figure.draw_without_rendering()
        self.figure.set_layout_engine("none")
        self._canvas.draw()
        self._still = self._canvas.copy_from_bbox(self.figure.bbox)
        self._pointed, self._points_drawn = self._still, 0  # the same with so many points

    def show(self, time_us: int) -> NDArray[np.uint8]:
        """The picture (height, width, 4) of `time_us`, RGBA, until the next one is shown."""
        self._move(time_us)
        self._draw_points(int(np.searchsorted(self._scene.moments_us, time_us, side="right")))
        for artist in self._moving:
            artist.draw(self._canvas.get_renderer())
        return np.asarray(self._canvas.buffer_rgba())

    def _draw_points(self, seen: int) -> None:
        """Draws what stands still and the first `seen` points of the embedding."""
        if seen < self._points_drawn:
            self._pointed, self._points_drawn = self._still, 0
        self._canvas.restore_region(self._pointed)
        if seen > self._points_drawn:
            fresh = slice(self._points_drawn, seen)
            self._points.set_offsets(self._plane[fresh])
            # one more colour than points: points of a single colour are drawn at whole pixels
            self._points.set_facecolor([*self._colours[fresh], INK])
            self._points.draw(self._canvas.get_renderer())
            self._pointed, self._points_drawn = self._canvas.copy_from_bbox(self.figure.bbox), seen

    def _move(self, time_us: int) -> None:
        scene = self._scene
        frame = max(int(np.searchsorted(scene.times_us, time_us, side="right")) - 1, 0)
        body = self._body[frame]
        middle = body[0, 0]
        self._bones.set_segments([body[[parent, joint]] - (middle, 0) for joint, parent in self._limbs])
        self._floor.set_xdata((self._marks - middle + self._reach) % (2 * self._reach) - self._reach)
        seen = int(np.searchsorted(scene.moments_us, time_us, side="right"))
        trail = int(np.searchsorted(scene.moments_us, time_us - TRAIL_S * 1e6, side="right"))
        self._trail.set_data(*self._plane[trail:seen].T)
        self._head.set_data(*self._plane[max(seen - 1, 0) : seen].T)
        now_s = (time_us - int(scene.times_us[0])) / 1e6
        self._cursor.set_xdata([now_s, now_s])
        self._future.set_x(now_s)
        self._clock.set_text(f"{now_s:.1f} s")

    def _draw_body(self, axes: Axes) -> None:
        """Draws the body from the side of its main direction of travel; the camera follows it."""
        scene = self._scene
        level = [axis for axis in range(3) if axis != scene.up]
        ground = scene.positions[:, 0][:, level]
        way = _main_directions(ground, 1)[:, 0] if len(ground) > 1 else np.array([1.0, 0.0])
        across = np.array([-way[1], way[0]])
        # a little from above and from the front: limbs that are behind each other come apart
        right = 0.87 * way + 0.5 * across
        depth = -0.5 * way + 0.87 * across
        self._body = np.stack(
            [
                scene.positions[:, :, level] @ right,
                scene.positions[:, :, scene.up] + 0.2 * (scene.positions[:, :, level] - ground[:, None]) @ depth,
            ],
            axis=2,
        )
        self._limbs = [(joint, parent) for joint, parent in enumerate(scene.parents) if parent >= 0]
        colours = [SIDES.get(_side(scene.joints, joint), INK) for joint, _ in self._limbs]
        self._bones = LineCollection([], colors=colours, linewidths=3.5, capstyle="round")
        axes.add_collection(self._bones)
        low, high = np.percentile(self._body[:, :, 1], (0.5, 99.9))
        self._reach = 0.62 * float(high - low) or 1.0
        self._marks = np.linspace(-self._reach, self._reach, 4, endpoint=False)
        (self._floor,) = axes.plot(self._marks, np.full(4, low), "|", color=GREYS[0], markersize=9)
        axes.axhline(low, color=GREYS[1], linewidth=1, zorder=0)
        axes.set_xlim(-self._reach, self._reach)
        axes.set_ylim(low - 0.08 * (high - low), high + 0.05 * (high - low))
        axes.set_aspect("equal")
        axes.set_axis_off()
        self._clock = axes.text(0.02, 0.98, "", transform=axes.transAxes, va="top", fontsize=FONT + 2, color=INK)

    def _draw_embedding(self, axes: Axes) -> None:
        scene = self._scene
        centred = scene.embedding - scene.embedding.mean(axis=0)
        self._plane = centred @ _main_directions(scene.embedding, 2)
        actions = scene.bars.actions
        self._colours = [colour_of(tone, actions) if tone >= 0 else GREYS[3] for tone in scene.tones.tolist()]
        self._points = axes.scatter([], [], s=12, alpha=0.55, linewidths=0)
        (self._trail,) = axes.plot([], [], color=INK, linewidth=1.2, alpha=0.7)
        (self._head,) = axes.plot([], [], "o", color=INK, markersize=8, markerfacecolor="white", markeredgewidth=2)
        low, high = self._plane.min(axis=0), self._plane.max(axis=0)
        margin = np.where(high > low, 0.08 * (high - low), 1.0)
        axes.set_xlim(low[0] - margin[0], high[0] + margin[0])
        axes.set_ylim(low[1] - margin[1], high[1] + margin[1])
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines[:].set_color(GREYS[1])
        axes.text(0.02, 0.98, "embedding", transform=axes.transAxes, va="top", fontsize=FONT + 2, color=INK)

    def _draw_bars(self, axes: Axes) -> None:
        bars = self._scene.bars
        draw_ethogram(axes, bars)
        low, high = sorted(axes.get_ylim())
        annotated = 0.5 if "annotated" in bars.rows else low  # the truth is known beforehand, labels are not
        self._future = Rectangle((0, annotated), bars.duration_s, high - annotated, color="white", alpha=0.88, zorder=5)
        self._future.set_clip_on(True)
        axes.add_patch(self._future)
        self._cursor = axes.axvline(0, color=INK, linewidth=2, zorder=6)


def _main_directions(points: Array, count: int) -> Array:
    """(E, count) orthonormal directions in which `points` (m, E) spread most, largest part positive."""
    _, _, rows = np.linalg.svd(points - points.mean(axis=0), full_matrices=True)
    directions = np.asarray(rows[:count], dtype=np.float64)
    signs = np.sign(np.take_along_axis(directions, np.abs(directions).argmax(axis=1)[:, None], axis=1))
    return (directions * signs).T


def _side(joints: tuple[str, ...], joint: int) -> str:
    """First letter of a joint that has a twin on the other side, "" for the trunk."""
    name = joints[joint]
    other = {"l": "r", "r": "l"}.get(name[0], "") + name[1:]
    return name[0] if other != name[1:] and other in joints else ""
