"""Which joints, which moments? Maps of one segment of each cluster, with what says whether they are true."""

from collections.abc import Sequence

import numpy as np

from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.chapters.explained import Explained
from motionscribe_training.explaining.evidence_score import cluster_of
from motionscribe_training.explaining.faithfulness import Faithfulness
from motionscribe_training.explaining.maps_picture import caption, draw_maps
from motionscribe_training.explaining.report import Block, Chapter, Numbers, Picture, Table, Text
from motionscribe_training.explaining.segment_maps import SegmentMaps, segment_maps
from motionscribe_training.explaining.watched import Piece, Watched

MOST = 6
"""Clusters whose longest segment is explained."""
LEAST_MOMENTS = 5


def maps_chapter(explained: Explained) -> Chapter:
    """The longest segment of each of the clusters of most motion."""
    model, title = explained.model, "Which joints and which moments give a label?"
    blocks: list[Block] = []
    found: list[tuple[str, SegmentMaps]] = []
    for watched, piece, cluster in _chosen(explained):
        try:
            maps = segment_maps(explained.evidence, watched, piece, cluster, model.feature_map.joint_of, explained.seed)
        except TrainingError as error:
            blocks.append(Text(f"{explained.called(cluster)}: {error}."))
            continue
        start_s = (int(watched.times_us[piece.start]) - int(watched.times_us[0])) / 1e6
        name = f"{watched.name}, {start_s:.1f} s, {explained.called(cluster)}"
        found.append((name, maps))
        blocks.append(Text(_doubt(maps, name)))
        if watched.places is not None:
            figure = draw_maps(maps, watched, model.manifest.skeleton, model.manifest.rate_hz, name)
            blocks.append(Picture(f"maps-cluster-{cluster}", figure, caption(maps)))
        else:
            blocks.append(Text(caption(maps)))
    if not found:
        return Chapter("maps", title, [*blocks, Text("There is no segment with a label that is long enough.")])
    kinds = _kinds(found)
    rows = [_row(kind, judged) for kind, judged in kinds.items()]
    about = Text(
        "A map says how much each joint, each moment or both gave to the score of the segment's cluster: the log odds "
        "of the cluster at the decoder states. It is judged by occlusion (Spearman's correlation with what is lost "
        "when joints and moments are replaced by the mean pose), against random maps. One that does not beat them "
        "is not shown as an explanation."
    )
    columns = ("map", "Spearman, mean", "random, 95 %", "beats random")
    numbers: Numbers = {
        "kinds": {kind: [[one.value, one.null] for one in judged] for kind, judged in kinds.items()},
        "segments": {name: _numbers(maps, explained) for name, maps in found},
    }
    return Chapter("maps", title, [about, Table(columns, rows), *blocks], numbers)


def _chosen(explained: Explained) -> list[tuple[Watched, Piece, int]]:
    """The longest segment of each cluster, of those that have evidence, by how much motion the clusters have."""
    longest: dict[int, tuple[Watched, Piece]] = {}
    for watched in explained.common.watched:
        for piece in watched.labelled():
            cluster, length = cluster_of(watched, piece), piece.end - piece.start
            before = longest.get(cluster)
            if length >= LEAST_MOMENTS and (before is None or length > before[1].end - before[1].start):
                longest[cluster] = (watched, piece)
    known = [cluster for cluster in explained.common.centres if cluster in longest]
    return [(*longest[cluster], cluster) for cluster in known if cluster in explained.evidence.clusters][:MOST]


def _doubt(maps: SegmentMaps, name: str) -> str:
    if maps.log_odds > maps.mean_pose + 1:
        return f"{name}: the network speaks for the label."
    return (
        f"{name}: the network hardly speaks for the label (log odds {maps.log_odds:.2f}, of the mean pose "
        f"{maps.mean_pose:.2f}), which then rests on plain motion."
    )


def _kinds(found: Sequence[tuple[str, SegmentMaps]]) -> dict[str, list[Faithfulness]]:
    kinds: dict[str, list[Faithfulness]] = {}
    for _, maps in found:
        for name, own in {**maps.joints, **maps.layers}.items():
            kinds.setdefault(name, []).append(own.faithfulness)
    return kinds


def _row(kind: str, judged: Sequence[Faithfulness]) -> list[str]:
    value, null = np.mean([one.value for one in judged]), np.mean([one.null for one in judged])
    return [kind, f"{value:.2f}", f"{null:.2f}", f"{sum(one.explains for one in judged)} of {len(judged)}"]


def _numbers(maps: SegmentMaps, explained: Explained) -> Numbers:
    names = explained.model.manifest.skeleton.joints
    by_joint = zip(maps.occlusion.joints.tolist(), maps.occlusion.by_joint.tolist(), strict=True)
    return {
        "cluster": maps.cluster,
        "log_odds": maps.log_odds,
        "mean_pose": maps.mean_pose,
        "drop_by_joint": {names[joint]: drop for joint, drop in by_joint},
        "drop_by_block": maps.occlusion.by_block.tolist(),
    }
