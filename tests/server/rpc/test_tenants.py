"""What tenants learn of each other, method by method of everything that a server answers: nothing.

A server process with tokens, whose laboratory has a live stream for each method that speaks of streams. A stranger with
a token of their own calls the method for that stream and for one that never was, and must not tell them apart.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from tests.support.server_process import Process
from tests.support.serving import motion
from tests.support.waiting import PATIENCE_S

from motionscribe_models.manifest import read_manifest
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import events_from_messages, frames_to_message, skeleton_to_message
from motionscribe_proto.events import ClusterCreated
from motionscribe_server.session.replay import blocks_of
from motionscribe_server.stream_keys import digest

Code = grpc.StatusCode
NOBODY = "never"
"""A stream that no tenant has."""
SERVICE, HEALTH = "/motionscribe.v1.", "/grpc.health.v1.Health/"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"

ABOUT_A_STREAM: dict[str, Callable[[str, int, pb.Skeleton], Message]] = {
    "Segmentation/Stream": lambda stream, _, layout: pb.StreamRequest(open=pb.Open(stream_id=stream, skeleton=layout)),
    "Segmentation/Watch": lambda stream, *_: pb.WatchRequest(stream_id=stream),
    "Segmentation/ListStreams": lambda *_: pb.ListStreamsRequest(),
    "Clusters/ListClusters": lambda stream, *_: pb.ListClustersRequest(stream_id=stream),
    "Clusters/DescribeCluster": lambda stream, id, _: pb.DescribeClusterRequest(stream_id=stream, id=id),
    "Clusters/RenameCluster": lambda stream, id, _: pb.RenameClusterRequest(stream_id=stream, id=id, name="x"),
    "Clusters/MergeClusters": lambda stream, id, _: pb.MergeClustersRequest(stream_id=stream, target=id, sources=[id]),
    "Clusters/SplitCluster": lambda stream, id, _: pb.SplitClusterRequest(stream_id=stream, id=id),
    "Clusters/ListExemplars": lambda stream, id, _: pb.ListExemplarsRequest(stream_id=stream, id=id),
    "Clusters/MapClusters": lambda stream, *_: pb.MapClustersRequest(stream_id=stream),
    "Anomalies/ListAnomalies": lambda stream, *_: pb.ListAnomaliesRequest(stream_id=stream),
    "Anomalies/MarkAnomaly": lambda stream, *_: pb.MarkAnomalyRequest(
        stream_id=stream, anomaly=99, verdict=pb.VERDICT_FAULT
    ),
    "Explanations/Explain": lambda stream, *_: pb.ExplainRequest(stream_id=stream),
    "Clusters/ForgetStream": lambda stream, *_: pb.ForgetStreamRequest(stream_id=stream),
}
"""Method -> a request about a stream, by its id, a cluster that it has, and the layout of the model's frames."""
ABOUT_NO_STREAM: dict[str, Message] = {
    f"{SERVICE}Models/ListModels": pb.ListModelsRequest(),
    f"{SERVICE}Models/DescribeModel": pb.DescribeModelRequest(),
    REFLECTION: reflection_pb2.ServerReflectionRequest(list_services=""),
}
OPEN: dict[str, Message] = {
    f"{HEALTH}Check": health_pb2.HealthCheckRequest(),
    f"{HEALTH}Watch": health_pb2.HealthCheckRequest(),
}
"""What needs no token, and tells nothing of tenants."""


@dataclass
class Tenants:
    """The server, and what the laboratory has there."""

    channel: grpc.Channel
    layout: pb.Skeleton
    clusters: dict[str, int] = field(default_factory=dict)
    """Stream id -> a cluster of it."""

    def call(self, path: str, request: Message, token: str | None) -> Any:
        """Any method, since on the wire all are streams; iterates over answers as bytes."""
        metadata = [("authorization", f"Bearer {token}")] if token else []
        return self.channel.stream_stream(path)(
            iter([request.SerializeToString()]), metadata=metadata, timeout=PATIENCE_S
        )

    def answer(self, method: str, stream: str, token: str) -> tuple[grpc.StatusCode, str]:
        """Status and message of a method about a stream; of one that is let in, its first answer."""
        request = ABOUT_A_STREAM[method](stream, self.clusters.get(stream, 1), self.layout)
        call = self.call(SERVICE + method, request, token)
        try:
            if method == "Segmentation/Watch":
                call.initial_metadata()  # a watcher who is let in hears this at first
                if call.is_active():
                    call.cancel()
                    return Code.OK, ""
            first = next(call)
        except grpc.RpcError as error:
            return error.code(), (error.details() or "").replace(stream, NOBODY)
        if method == "Segmentation/Stream":
            opened = pb.StreamResponse.FromString(first).opened
            assert opened.resume_token
            opened.resume_token = opened.session = ""  # random
            first = opened.SerializeToString(deterministic=True)
        call.cancel()
        return Code.OK, first.hex()


def stranger_for(method: str) -> str:
    """Tokens, one for each method: what one call leaves behind must not be what another finds."""
    return f"token-for-{method}"


def id_for(method: str) -> str:
    """The stream of the laboratory that a method is tried on."""
    return method.rpartition("/")[2]


@pytest.fixture(scope="module")
def tenants(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenants]:
    folder = tmp_path_factory.mktemp("tenants")
    tokens = {"lab": "token-of-lab"} | {id_for(method): stranger_for(method) for method in ABOUT_A_STREAM}
    (folder / "tokens.toml").write_text("".join(f'{tenant} = "{digest(t)}"\n' for tenant, t in tokens.items()))
    server = Process(
        folder, tiny_model.parent.parent, "--security-tokens", str(folder / "tokens.toml"), "--workers", "1"
    )
    skeleton, released = read_manifest(tiny_model).skeleton, threading.Event()

    def feed(stream: str) -> Iterator[bytes]:
        opening = pb.Open(stream_id=stream, skeleton=skeleton_to_message(skeleton))
        yield pb.StreamRequest(open=opening).SerializeToString()
        for block in blocks_of(motion(skeleton, 6), 60):
            yield pb.StreamRequest(frames=frames_to_message(block)).SerializeToString()
        released.wait(300)

    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            made = Tenants(channel, skeleton_to_message(skeleton))
            metadata = [("authorization", "Bearer token-of-lab")]
            calls = {}
            for stream in map(id_for, ABOUT_A_STREAM):
                calls[stream] = channel.stream_stream(f"{SERVICE}Segmentation/Stream")(feed(stream), metadata=metadata)
                made.clusters[stream] = first_cluster(calls[stream])
            yield made
            released.set()
    finally:
        server.process.kill()
        server.process.communicate(timeout=30)


def first_cluster(call: Any) -> int:
    """Reads a stream until a cluster is born."""
    for raw in call:
        for event in events_from_messages(pb.StreamResponse.FromString(raw).update.events):
            if isinstance(event, ClusterCreated):
                return event.cluster
    raise AssertionError("the stream ended before a cluster was born")


def test_every_method_that_the_server_answers_is_tried_here(tenants: Tenants) -> None:
    listing = tenants.call(REFLECTION, ABOUT_NO_STREAM[REFLECTION], "token-of-lab")
    services = reflection_pb2.ServerReflectionResponse.FromString(next(listing)).list_services_response.service
    listing.cancel()
    methods = [
        f"/{service.name}/{method.name}"
        for service in services
        for method in Default().FindServiceByName(service.name).methods
    ]
    assert sorted(methods) == sorted([*(SERVICE + method for method in ABOUT_A_STREAM), *ABOUT_NO_STREAM, *OPEN])


@pytest.mark.parametrize("path", [*(SERVICE + m for m in ABOUT_A_STREAM), *ABOUT_NO_STREAM, f"{SERVICE}Models/Steal"])
def test_without_a_token_nothing_is_answered(tenants: Tenants, path: str) -> None:
    for token, reason in (
        (None, "expected a bearer token as metadata 'authorization', got none"),
        ("guess", "expected a token of this server, got another one"),
    ):
        with pytest.raises(grpc.RpcError) as caught:
            next(tenants.call(path, pb.WatchRequest(), token))
        assert (caught.value.code(), caught.value.details()) == (Code.UNAUTHENTICATED, reason)


@pytest.mark.parametrize("path", OPEN)
def test_health_needs_none_and_says_only_that_it_serves(tenants: Tenants, path: str) -> None:
    call = tenants.call(path, OPEN[path], None)
    assert health_pb2.HealthCheckResponse.FromString(next(call)) == health_pb2.HealthCheckResponse(
        status=health_pb2.HealthCheckResponse.SERVING
    )
    call.cancel()


@pytest.mark.parametrize("path", ABOUT_NO_STREAM)
def test_what_is_nobodys_is_answered_alike(tenants: Tenants, path: str) -> None:
    answers = []
    for token in ("token-of-lab", stranger_for("Segmentation/Watch")):
        call = tenants.call(path, ABOUT_NO_STREAM[path], token)
        answers.append(next(call))
        call.cancel()
    assert answers[0] == answers[1]


def test_every_tenant_lists_its_own_streams(tenants: Tenants) -> None:
    method = "Segmentation/ListStreams"
    assert tenants.answer(method, NOBODY, stranger_for(method)) == (Code.OK, "")
    _, answer = tenants.answer(method, NOBODY, "token-of-lab")
    listed = {info.stream_id for info in pb.ListStreamsResponse.FromString(bytes.fromhex(answer)).streams}
    # others may have been deleted by a test of before
    assert {id_for(method), id_for("Segmentation/Watch")} <= listed <= set(map(id_for, ABOUT_A_STREAM))


@pytest.mark.parametrize("method", ABOUT_A_STREAM)
def test_another_tenants_stream_is_as_unknown_as_one_that_never_was(tenants: Tenants, method: str) -> None:
    stream, stranger = id_for(method), stranger_for(method)
    theirs = tenants.answer(method, stream, stranger)
    assert theirs == tenants.answer(method, NOBODY, stranger)
    # the owner is told something else, so there was something to tell
    assert tenants.answer(method, stream, "token-of-lab") != theirs
