"""What a server refuses, says wrongly or does not say at all is a typed error."""

import re
from typing import Any

import grpc
import pytest
from tests.support.numbered_frames import labels, pairs
from tests.support.scripted_server import Act, ScriptedServer

from motionscribe import Client, errors
from motionscribe.connection.channel import check_address, is_local
from motionscribe_proto import segmentation_pb2 as pb


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, errors.BadFrames),
        (grpc.StatusCode.NOT_FOUND, errors.UnknownModel),
        (grpc.StatusCode.FAILED_PRECONDITION, errors.DoesNotFit),
        (grpc.StatusCode.ALREADY_EXISTS, errors.StreamInUse),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.TooMuch),
        (grpc.StatusCode.UNIMPLEMENTED, errors.NotOffered),
        (grpc.StatusCode.INTERNAL, errors.ServerFailed),
    ],
)
@pytest.mark.parametrize("after_frames", [0, 10], ids=["at the door", "midway"])
def test_refusals_are_typed_and_not_tried_again(
    status: grpc.StatusCode, kind: type[errors.MotionscribeError], after_frames: int
) -> None:
    with ScriptedServer(Act(status=status, after_frames=after_frames)) as server, Client(server.address) as client:
        with pytest.raises(kind, match="on purpose"):
            list(client.stream(pairs(100)))
        assert len(server.opens) == (1 if after_frames else 0)
        assert list(client.stream(pairs(10))) == labels(10)


def test_without_a_server_the_error_names_the_address() -> None:
    with ScriptedServer() as server:
        address = server.address
    with Client(address) as client:
        with pytest.raises(errors.ConnectionFailed, match=re.escape(f"no connection to {address}")):
            client.stream(pairs(1))
        with pytest.raises(errors.ConnectionFailed, match=re.escape(f"no connection to {address}")):
            client.models()


def test_credentials_mean_encryption() -> None:
    with (
        ScriptedServer() as server,
        Client(server.address, credentials=grpc.ssl_channel_credentials()) as client,
        pytest.raises(errors.ConnectionFailed),
    ):
        client.models()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("127.0.0.1:1", True),
        ("127.8.0.1:1", True),
        ("[::1]:1", True),
        ("localhost:1", True),
        ("unix:/tmp/x", True),
        ("192.0.2.1:1", False),
        ("example.org:443", False),
        ("127.0.0.1.example.org:1", False),
    ],
)
def test_only_loopback_is_plaintext_unasked(address: str, expected: bool) -> None:
    assert is_local(address) is expected


def test_frames_of_another_width_are_told_in_values_before_the_server_takes_them_for_others() -> None:
    # three frames of four values are six of two
    frames = [(n, [0.0] * 4) for n in range(3)]
    with ScriptedServer() as server, Client(server.address) as client:
        with pytest.raises(errors.BadFrames, match=r"^expected 2 values a frame, got 4, for "):
            list(client.stream(frames))
        assert server.blocks == []


NOTHING = pb.Model(skeleton=pb.Skeleton(representation="features"))


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (pb.StreamResponse(update=pb.Update()), "got update"),
        (pb.StreamResponse(), "got None"),
        (pb.StreamResponse(opened=pb.Opened(next_seq=1, model=NOTHING)), "got opened"),
        (pb.StreamResponse(opened=pb.Opened(model=NOTHING)), "next_seq of 1 or more, got 0"),
        (
            pb.StreamResponse(opened=pb.Opened(next_seq=1, model=pb.Model(skeleton=pb.Skeleton(joints=["a"])))),
            "one parent per joint",
        ),
    ],
)
def test_answers_that_make_no_sense_are_the_servers_failure(answer: pb.StreamResponse, text: str) -> None:
    with (
        ScriptedServer(Act(say=answer)) as server,
        Client(server.address) as client,
        pytest.raises(errors.ServerFailed, match=text),
    ):
        list(client.stream(pairs(10)))


@pytest.mark.parametrize(
    "address", ["localhost:115587", "127.0.0.1", "foo", ":50051", "http://127.0.0.1:50051", "", "host:0", "host:x"]
)
def test_what_is_no_address_is_refused_before_anything_is_looked_up(address: str) -> None:
    with pytest.raises(errors.BadRequest, match="expected an address HOST:PORT"):
        Client(address)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:1", "[::1]:50051", "lab.example.org:443", "unix:/tmp/x", "dns:///a.b:80"]
)
def test_addresses_are_taken(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize("cluster", [-1, 2**32, "walk", None, 1.5])
def test_what_is_no_cluster_is_refused_as_an_error_of_ours(cluster: Any) -> None:
    with ScriptedServer() as server, Client(server.address) as client:
        with pytest.raises(errors.BadRequest, match="expected the number of a cluster"):
            client.rename("lab", cluster, "walk")
        for sources, into in (([cluster], 1), ([1], cluster)):
            with pytest.raises(errors.BadRequest, match="expected the number of a cluster"):
                client.merge("lab", sources, into)
