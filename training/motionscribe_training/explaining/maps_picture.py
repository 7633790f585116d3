"""Why a segment has its label, as a picture: joints by time, the layers' time maps, joints on the skeleton.

In: SegmentMaps and the Watched that they are of. Out: a Figure and its caption. A map that does not beat random ones
is not drawn; its place says so. Blue speaks for the cluster, orange against it.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, TwoSlopeNorm
from matplotlib.figure import Figure

from motionscribe_models.arrays import Array
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.evaluation.pictures import COLOURS, DPI, FONT, GREYS, INK
from motionscribe_training.explaining.faithfulness import HIDDEN, LEVEL, Faithfulness
from motionscribe_training.explaining.segment_maps import SegmentMaps
from motionscribe_training.explaining.watched import Watched

FOR, AGAINST = COLOURS[0], COLOURS[3]
SIGNED = LinearSegmentedColormap.from_list("signed", [AGAINST, "#FFFFFF", FOR])
SIZE_IN = (10.0, 8.2)
BIGGEST_PT = 20.0
"""Diameter of the strongest joint."""


def draw_maps(maps: SegmentMaps, watched: Watched, skeleton: Skeleton, rate_hz: float, title: str) -> Figure:
    """The picture; `skeleton` is the model's, `rate_hz` of its features."""
    figure = Figure(figsize=SIZE_IN, dpi=DPI, layout="constrained")
    grid = figure.add_gridspec(3, 2, width_ratios=(2.1, 1.0), height_ratios=(1.25, 1.25, 0.8))
    found, integrated = maps.occlusion, maps.joints["integrated gradients"]
    names = ["root (own motion)" if joint == 0 else skeleton.joints[joint].replace("_", " ") for joint in found.joints]
    edges_s = (maps.start + found.edges) / rate_hz
    occluded = f"joint hidden: drop of log odds, nats\n({_deletion(maps.deletion)})"
    _heat(figure.add_subplot(grid[0, 0]), found.cells, names, edges_s, occluded, maps.deletion)
    path = f"integrated gradients, nats\n({_spearman(integrated.faithfulness)})"
    _heat(figure.add_subplot(grid[1, 0]), integrated.cells, names, edges_s, path, integrated.faithfulness)
    body = figure.add_subplot(grid[:2, 1])
    body.set_axis_off()
    if watched.places is not None and maps.deletion.explains:
        _body(body, watched.places[maps.start + found.edges[-1] // 2], skeleton, maps)
    _layers(figure.add_subplot(grid[2, :]), maps, edges_s)
    figure.suptitle(title, fontsize=FONT + 2, x=0.01, ha="left", color=INK)
    return figure


def caption(maps: SegmentMaps) -> str:
    """How well each map agrees with occlusion, and what random maps reach."""
    judged = {**maps.joints, **maps.layers}
    said = [f"{name} {found.faithfulness.value:.2f} ({found.faithfulness.null:.2f})" for name, found in judged.items()]
    failed = [name for name in judged if not judged[name].faithfulness.explains]
    return (
        f"Log odds of cluster {maps.cluster}: {maps.log_odds:.2f} nats, of the mean pose "
        f"{maps.mean_pose:.2f}. Occlusion: {_deletion(maps.deletion)}. Spearman's correlation with the drops under "
        f"occlusion, in brackets the {LEVEL}th percentile of random maps: {'; '.join(said)}. "
        + (f"Not shown, since no better than random: {', '.join(failed)}." if failed else "All beat random maps.")
    )


def _spearman(judged: Faithfulness) -> str:
    return f"Spearman {judged.value:.2f}, random {judged.null:.2f}"


def _deletion(judged: Faithfulness) -> str:
    return f"first {HIDDEN} joints together {judged.value:.2f}, random {judged.null:.2f}"


def _heat(axes: Axes, cells: Array, names: list[str], edges_s: Array, title: str, judged: Faithfulness) -> None:
    axes.set_title(title, fontsize=FONT, loc="left", color=INK)
    axes.tick_params(labelsize=FONT - 1, colors=INK, length=0)
    axes.spines[:].set_visible(False)
    if not judged.explains:
        axes.set_xticks([])
        axes.set_yticks([])
        text = "not shown: no better than random maps"
        axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", fontsize=FONT, color=GREYS[2])
        return
    reach = float(np.abs(cells).max()) or 1.0
    mesh = axes.pcolormesh(
        edges_s, np.arange(len(names) + 1), cells, cmap=SIGNED, norm=TwoSlopeNorm(0, -reach, reach), edgecolors="white"
    )
    axes.set_yticks(np.arange(len(names)) + 0.5, names)
    axes.invert_yaxis()
    axes.set_xlabel("time, s", fontsize=FONT, color=INK)
    bar = axes.figure.colorbar(mesh, ax=axes, pad=0.01, aspect=30)
    bar.ax.tick_params(labelsize=FONT - 2, colors=INK)
    bar.outline.set_visible(False)


def _body(axes: Axes, places: Array, skeleton: Skeleton, maps: SegmentMaps) -> None:
    """The pose in the middle of the segment, seen from where its joints lie apart."""
    level = [axis for axis in range(3) if axis != skeleton.up]
    ground = places[:, level] - places[:, level].mean(axis=0)
    right = np.linalg.svd(ground, full_matrices=False)[2][0]
    seen = np.stack([ground @ right, skeleton.up_sign * places[:, skeleton.up]], axis=1)
    bones = [seen[[parent, joint]] for joint, parent in enumerate(skeleton.parents) if parent >= 0]
    axes.add_collection(LineCollection(bones, colors=GREYS[1], linewidths=3, capstyle="round"))
    weights = maps.occlusion.by_joint
    share = weights / (np.abs(weights).max() or 1.0)
    colours = [FOR if weight > 0 else AGAINST for weight in weights]
    across, height = seen[maps.occlusion.joints].T
    axes.scatter(across, height, s=np.abs(share) * BIGGEST_PT**2, c=colours, alpha=0.85, zorder=2)
    first = [
        f"{'root' if joint == 0 else skeleton.joints[joint].replace('_', ' ')} {weight:.2f}"
        for weight, joint in sorted(zip(weights, maps.occlusion.joints, strict=True), reverse=True)[:HIDDEN]
    ]
    axes.set_aspect("equal")
    axes.margins(0.25, 0.08)
    heading = "joint hidden throughout, nats\nblue speaks for the label,\norange against it"
    axes.set_title("\n".join([heading, "", *first]), fontsize=FONT, color=INK)


def _layers(axes: Axes, maps: SegmentMaps, edges_s: Array) -> None:
    """Time maps of layers that beat random ones, beside the drops that judge them; each over its largest."""
    drops = maps.occlusion.by_block
    axes.stairs(drops / (np.abs(drops).max() or 1.0), edges_s, color=INK, linewidth=2, label="all joints hidden")
    colours = dict(zip(maps.layers, COLOURS, strict=False))
    for name, found in maps.layers.items():
        if found.faithfulness.explains:
            label, share = f"{name} ({_spearman(found.faithfulness)})", found.cells / (np.abs(found.cells).max() or 1.0)
            axes.stairs(share, edges_s, color=colours[name], linewidth=1.6, baseline=None, label=label)
    failed = [name for name, found in maps.layers.items() if not found.faithfulness.explains]
    if failed:
        axes.plot([], [], " ", label=f"no better than random: {', '.join(failed)}")
    axes.axhline(0, color=GREYS[1], linewidth=0.8, zorder=0)
    axes.set_xlim(edges_s[0], edges_s[-1])
    axes.set_title("when: Grad-CAM of each layer, over its largest", fontsize=FONT, loc="left", color=INK)
    axes.set_xlabel("time, s", fontsize=FONT, color=INK)
    axes.tick_params(labelsize=FONT - 1, colors=INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=FONT - 1, frameon=False)
