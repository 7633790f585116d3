"""What are the clusters? Exemplars, likeness, order, dwell times, usage, and how two groups differ."""

from collections.abc import Sequence

from motionscribe_training.explaining.chapters.explained import Explained
from motionscribe_training.explaining.cluster_portraits import portraits
from motionscribe_training.explaining.clusters_picture import (
    dendrogram_figure,
    exemplar_figure,
    transition_figure,
    usage_figure,
)
from motionscribe_training.explaining.group_difference import GroupDifference, group_difference
from motionscribe_training.explaining.report import Block, Chapter, Numbers, Picture, Table, Text
from motionscribe_training.explaining.transitions import Dwell, transitions, usage
from motionscribe_training.explaining.watched import Watched

LONGEST = 3
"""Recordings whose usage is drawn."""


def clusters_chapter(explained: Explained, groups: tuple[Sequence[Sequence[int]], Sequence[Sequence[int]]]) -> Chapter:
    """`groups` are two groups of recordings, each the indices of its parts; the second may be empty."""
    common, skeleton = explained.common, explained.model.manifest.skeleton
    found, order = portraits(common), transitions(common.watched)
    visits = dict(zip(order.clusters, order.dwell, strict=True))
    used = [(part, usage(part)) for part in common.watched]
    names = {cluster: common.names.get(cluster, "") for cluster in common.centres}
    rows = [
        [
            explained.called(own.cluster),
            f"{own.seconds:.1f}",
            str(own.pieces),
            _visit(visits[own.cluster]),
        ]
        for own in found
    ]
    blocks: list[Block] = [
        Text("Clusters of several recordings are one where their means are as near as one stream would join them."),
        Table(("cluster", "seconds", "segments", "median visit, s"), rows),
    ]
    if all(part.places is not None for part in common.watched):
        figure = exemplar_figure(found, common.watched, skeleton.parents, skeleton.up)
        blocks.append(
            Picture("clusters-exemplars", figure, "Typical, nearest to the centre, and newest segment of each.")
        )
    if len(found) > 1:
        blocks.append(
            Picture("clusters-likeness", dendrogram_figure(found), "Which clusters are alike (average linkage).")
        )
        blocks.append(
            Picture("clusters-order", transition_figure(order, names), "What follows what, and for how long.")
        )
    longest = sorted(used, key=lambda own: -own[0].moments)[:LONGEST]
    for number, (part, shares) in enumerate(longest, 1):
        caption = f"{part.name}: share of each cluster as time goes on."
        blocks.append(Picture(f"clusters-usage-{number}", usage_figure(shares, names), caption))
    numbers: Numbers = {
        "clusters": {
            str(own.cluster): {"name": own.name, "seconds": own.seconds, "pieces": own.pieces} for own in found
        },
        "order": {"clusters": list(order.clusters), "counts": order.counts.tolist()},
        "usage": {part.name: own.shares.tolist() for part, own in used},
    }
    first, second = ([[common.watched[i] for i in parts] for parts in group] for group in groups)
    if second:
        difference = group_difference(first, second, explained.seed)
        blocks += _difference(explained, difference, first, second)
        numbers["groups"] = [[own.cluster, own.first, own.second, own.p] for own in difference.clusters]
    return Chapter("clusters", "What are the clusters?", blocks, numbers)


def _visit(dwell: Dwell) -> str:
    return "-" if dwell.median_s is None else f"{dwell.median_s:.1f}"


def _difference(
    explained: Explained,
    difference: GroupDifference,
    first: Sequence[Sequence[Watched]],
    second: Sequence[Sequence[Watched]],
) -> list[Block]:
    rows = [
        [explained.called(own.cluster), f"{own.first:.1%}", f"{own.second:.1%}", f"{own.p:.3f}"]
        for own in difference.clusters
    ]
    how = "all" if difference.exact else "random"
    about = (
        f"Shares of labelled time in {len(first)} recordings of the first group, {len(second)} of the second. p: how "
        f"often one of {difference.groupings} groupings ({how}) shows a difference as large in any cluster."
    )
    return [Text(about), Table(("cluster", "first", "second", "p"), rows)]
