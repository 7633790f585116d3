"""Values that only the server has, as messages; those that the client has, too, are in proto's codec.py."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from motionscribe_models.body.mapping import Mapping
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import VERDICT_NUMBERS, WIRE_FLOAT, events_to_messages, skeleton_to_message
from motionscribe_server.session.anomaly_book import KeptAnomaly
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState
from motionscribe_server.session.exemplars import VALUES, clip_rate
from motionscribe_server.session.explanation import Explanation
from motionscribe_server.streams.catalog import LoadedModel
from motionscribe_server.streams.live_stream import LiveStream

RETRY_AFTER_MS = 1000


def cluster_to_message(cluster: ClusterState) -> pb.Cluster:
    """A cluster without its centre."""
    return pb.Cluster(
        id=cluster.id,
        name=cluster.name,
        merged_into=cluster.merged_into,
        warm=cluster.warm,
        weight=cluster.weight,
        created_us=cluster.created_us,
        last_seen_us=cluster.last_seen_us,
        segments=cluster.segments,
        seconds=cluster.seconds,
        guessed=cluster.guessed,
    )


def anomaly_to_message(kept: KeptAnomaly) -> pb.KeptAnomaly:
    """An anomaly without the columns that fired: they mean something to the model alone."""
    (event,) = events_to_messages([kept.event])
    fired = {own.score: max(own.peaks) for own in kept.fired}
    return pb.KeptAnomaly(anomaly=event.anomaly, verdict=VERDICT_NUMBERS[kept.verdict], fired=fired)


def exemplars_to_message(model: LoadedModel, clusters: Sequence[ClusterState], id: int) -> pb.ListExemplarsResponse:
    """The clips of a cluster and of those that are part of it; the model's own where there are no others."""
    own = [state for state in clusters if id in (state.id, state.merged_into)]
    clips = sorted((clip for state in own for clip in state.exemplars), key=lambda clip: clip.distance)
    shown: list[tuple[int | None, bytes]] = [(clip.start_us, clip.values) for clip in clips]
    if not shown and model.served.exemplars:
        shown = [(None, model.served.exemplars[state.id - 1]) for state in own if state.warm]
    return pb.ListExemplarsResponse(
        skeleton=skeleton_to_message(model.manifest.skeleton),
        rate_hz=clip_rate(model.manifest.rate_hz),
        exemplars=[
            pb.Exemplar(start_us=start_us, values=np.frombuffer(values, VALUES).astype(WIRE_FLOAT).tobytes())
            for start_us, values in shown
        ],
    )


def map_to_message(model: LoadedModel, found: ClusterMap) -> pb.ClusterMap:
    """In the units of the embedding."""
    return pb.ClusterMap(
        clusters=[pb.MappedCluster(cluster=id, x=x, y=y) for id, (x, y) in zip(found.ids, found.places, strict=True)],
        trail_x=found.trail[:, 0],
        trail_y=found.trail[:, 1],
        end_us=found.end_us,
        moment_us=round(model.served.moment_s * 1e6),
        radius=model.served.radius,
    )


def explanation_to_message(explanation: Explanation) -> pb.Explanation:
    """The same, field by field."""
    return pb.Explanation(
        segment=explanation.segment,
        cluster=explanation.cluster,
        name=explanation.name,
        start_us=explanation.start_us,
        end_us=explanation.end_us,
        margin=explanation.margin,
        other=explanation.other,
        other_name=explanation.other_name,
        joints=[pb.JointWeight(**asdict(one)) for one in explanation.joints],
        parts=[pb.PartWeight(**asdict(one)) for one in explanation.parts],
    )


def opened_message(
    stream: LiveStream,
    credits: int,
    clusters: Sequence[ClusterState],
    resumed: bool,
    not_resumed: str,
    mapping: Mapping | None,
) -> pb.Opened:
    """The answer to an Open."""
    return pb.Opened(
        session=stream.info.name,
        resume_token=stream.info.token,
        epoch=stream.epoch,
        resumed=resumed,
        next_seq=stream.received_seq + 1,
        credits=credits,
        model=stream.info.model.to_message(),
        latency_us=stream.info.model.latency_us(stream.info.lag),
        clusters=map(cluster_to_message, clusters),
        not_resumed=not_resumed,
        mapping=mapping.describe() if mapping else (),
    )


def live_stream_message(stream: LiveStream) -> pb.LiveStreamInfo:
    """What a list of streams says of one."""
    manifest = stream.info.model.manifest
    return pb.LiveStreamInfo(
        stream_id=stream.info.id,
        model=manifest.name,
        version=manifest.version,
        skeleton=skeleton_to_message(manifest.skeleton),
        rate_hz=stream.info.rate_hz,
        has_owner=stream.life.has_owner,
        received_seq=stream.received_seq,
    )


def go_away_message(token: str, reason: str) -> pb.StreamResponse:
    """The last message to an owner that should come back."""
    return pb.StreamResponse(go_away=pb.GoAway(reason=reason, resume_token=token, retry_after_ms=RETRY_AFTER_MS))
