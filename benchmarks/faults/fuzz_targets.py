"""What reads bytes of strangers, as functions of bytes that return or raise what they have stated, and first inputs.

A target that raises anything else has crashed.
"""

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from google.protobuf.message import DecodeError

from motionscribe.descriptions import cluster_from_message, model_from_message, opened_from_message
from motionscribe_models.errors import ContractError
from motionscribe_models.graphs import check_graph
from motionscribe_models.manifest import parse_manifest
from motionscribe_models.repository import _read_npz, read_bundle
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import (
    events_from_messages,
    events_to_messages,
    frames_from_message,
    frames_to_message,
    skeleton_to_message,
)
from motionscribe_proto.events import (
    Anomaly,
    AnomalyScores,
    ClusterCreated,
    Degraded,
    Event,
    Gap,
    Label,
    SegmentEnded,
)
from motionscribe_proto.frames import FrameBlock, WireError
from motionscribe_server.engine.inference import Inference
from motionscribe_server.engine.messages import EngineInfo
from motionscribe_server.errors import ServerError
from motionscribe_server.session.frame_checks import check
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load, save
from motionscribe_server.streams.catalog import LoadedModel
from motionscribe_server.streams.frame_layout import find_layout
from motionscribe_server.streams.open_request import read_open

MODEL = Path("models/cmu-expmap/1")
STATED = (ContractError, ServerError, WireError, DecodeError)


@dataclass(frozen=True)
class Target:
    """A reader, bytes that it accepts, and its share of all cases: quick readers get more."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    share: float


@cache
def _model() -> LoadedModel:
    return LoadedModel(ServedModel(read_bundle(MODEL)), EngineInfo("int8", "CPUExecutionProvider", "", ()))


def _request(data: bytes) -> None:
    """What a server does with a message of a client."""
    request, model = pb.StreamRequest.FromString(data), _model()
    skeleton = model.manifest.skeleton
    match request.WhichOneof("message"):
        case "open":
            read_open(request.open, "lab")
            find_layout(model, request.open)
        case "frames":
            block = frames_from_message(request.frames, skeleton.width, len(skeleton.joints))
            check(block, model.served, 1, None)


def _requests() -> list[bytes]:
    skeleton = _model().manifest.skeleton
    frames = np.zeros((2, skeleton.width), np.float32)
    false_alarms = pb.FalseAlarms(sensor=0.5, motion=6.0)
    features = pb.FeatureNames(names=skeleton.columns)
    even, uneven = np.array([0, 8333]), np.array([5, 7])
    messages = [
        pb.StreamRequest(open=pb.Open(stream_id="a", model="cmu-expmap", skeleton=skeleton_to_message(skeleton))),
        pb.StreamRequest(
            open=pb.Open(stream_id="a", features=features, rate_hz=30, false_alarms_per_hour=false_alarms)
        ),
        pb.StreamRequest(frames=frames_to_message(FrameBlock(1, frames, even))),
        pb.StreamRequest(frames=frames_to_message(FrameBlock(9, frames, uneven))),
        pb.StreamRequest(ack=pb.Ack(last_event=7)),
        pb.StreamRequest(close=pb.Close()),
    ]
    return [message.SerializeToString() for message in messages]


def _answer(data: bytes) -> None:
    """What a client does with a message of a server."""
    response = pb.StreamResponse.FromString(data)
    match response.WhichOneof("message"):
        case "opened":
            opened_from_message("a", response.opened)
            model_from_message(response.opened.model)
            for cluster in response.opened.clusters:
                cluster_from_message(cluster)
        case "update":
            events_from_messages(response.update.events)


def _answers() -> list[bytes]:
    events: list[Event] = [
        Label(1, 5, 0, 100, 3, 0.5, False),
        Label(5, 9, 100, 200, 4, 1.0, True),
        SegmentEnded(1, 3, "walk", 1, 9, 0, 200),
        Anomaly(1, True, 3, 7, 50, 90, "sensor fault", "jump", "begun", 0.25, ("root",), (6.5,), 3),
        AnomalyScores(3, 7, 50, 90, 0.25, 30.0, 600.0),
        Degraded(1, True, 3, 7, 50, 90, ("left_wrist",)),
        ClusterCreated(3, 50),
        Gap(9, 12, 200, 300),
    ]
    update = pb.Update(first_event=1, events=events_to_messages(events), durable_seq=4, credits=9)
    opened = pb.Opened(
        session="a-1", resume_token="t", next_seq=1, model=_model().to_message(), clusters=[pb.Cluster(id=1, name="x")]
    )
    messages = [pb.StreamResponse(update=update), pb.StreamResponse(opened=opened)]
    return [message.SerializeToString() for message in messages]


def _manifest(data: bytes) -> None:
    parse_manifest(data, MODEL)


def _arrays(data: bytes) -> None:
    _read_npz(data, MODEL)


def _some_arrays() -> list[bytes]:
    found = []
    for write in (np.savez, np.savez_compressed):
        buffer = io.BytesIO()
        write(buffer, spans=np.array([3, 9]), motion=np.eye(3, dtype=np.float32))
        found.append(buffer.getvalue())
    return found


def _graphs() -> list[bytes]:
    """The parts of a graph that are not weights."""
    return [path.read_bytes()[:4096] for path in sorted(MODEL.glob("*.onnx"))]


@cache
def _saved() -> tuple[bytes, dict[str, np.ndarray]]:
    """The tree of a session's snapshot, and its arrays."""
    session = Session(_model().served)
    state = Inference(read_bundle(MODEL), batch_sizes=(1,)).new_state()
    data = save(session, state)
    with np.load(io.BytesIO(data[32:]), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    return arrays.pop("tree").tobytes(), arrays


def _snapshot(data: bytes) -> None:
    """Another tree over the arrays of a session: the digest is that of the bytes, as if our own store said so."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, tree=np.frombuffer(data, np.uint8), **_saved()[1])
    body = buffer.getvalue()
    load(hashlib.sha256(body).digest() + body, _model().served)


def _trees() -> list[bytes]:
    tree = json.loads(_saved()[0])
    parts = [{}, [], 5, {"$array": "encoder"}, {"$array": "none"}, {**tree["session"], "builder": {"frames": []}}]
    trees = [tree, *({**tree, "session": part} for part in parts), {**tree, "options": {}, "encoder": 1.5}]
    return [json.dumps(each).encode() for each in trees]


TARGETS = {
    "requests": Target(_request, _requests, 0.35),
    "answers": Target(_answer, _answers, 0.3),
    "manifest": Target(_manifest, lambda: [(MODEL / "manifest.json").read_bytes()], 0.15),
    "graph": Target(check_graph, _graphs, 0.15),
    "arrays": Target(_arrays, _some_arrays, 0.04),
    "snapshot": Target(_snapshot, _trees, 0.01),
}
