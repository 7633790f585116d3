"""Frames, events and skeletons survive the wire bit for bit; malformed messages are refused with what was expected."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import codec
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.events import (
    Anomaly,
    AnomalyScores,
    ClusterCreated,
    ClusterMerged,
    ClusterTableFull,
    Degraded,
    Gap,
    Label,
    Restarted,
    SegmentEnded,
    SegmentStarted,
)
from motionscribe_proto.frames import FrameBlock, WireError

INT32 = st.integers(-(2**31), 2**31)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
FLOAT32 = st.floats(width=32, allow_nan=False)
FLOAT64 = st.floats(allow_nan=False)
TEXT = st.text(max_size=12)
LABELS = st.builds(Label, UINT64, UINT64, INT64, INT64, UINT32, FLOAT32, st.booleans())
ANOMALIES = st.integers(0, 4).flatmap(
    lambda n: st.builds(
        Anomaly,
        UINT64,
        st.booleans(),
        UINT64,
        UINT64,
        INT64,
        INT64,
        TEXT,
        TEXT,
        TEXT,
        FLOAT64,
        st.tuples(*[TEXT] * n),
        st.tuples(*[FLOAT32] * n),
        UINT32,
    )
)
EVENTS = st.one_of(
    LABELS,
    LABELS,  # twice, so that runs to be packed are frequent
    ANOMALIES,
    st.builds(AnomalyScores, UINT64, UINT64, INT64, INT64, FLOAT64, FLOAT64, FLOAT64),
    st.builds(Degraded, UINT64, st.booleans(), UINT64, UINT64, INT64, INT64, st.lists(TEXT, max_size=4).map(tuple)),
    st.builds(SegmentStarted, UINT64, UINT32, TEXT, UINT64, INT64),
    st.builds(SegmentEnded, UINT64, UINT32, TEXT, UINT64, UINT64, INT64, INT64),
    st.builds(ClusterCreated, UINT32, INT64),
    st.builds(ClusterMerged, UINT32, UINT32, INT64),
    st.builds(ClusterTableFull, UINT32, UINT32, INT64),
    st.builds(Gap, UINT64, UINT64, INT64, INT64),
    st.builds(Restarted, UINT64, INT64, TEXT),
)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[FrameBlock, int]:
    """Any block, with NaN, infinity and times in any order, and its number of joints."""
    K, D, joints = draw(st.integers(1, 20)), draw(st.integers(1, 9)), draw(st.integers(1, 4))
    values = draw(hnp.arrays(np.float32, (K, D)))
    times = draw(hnp.arrays(np.int64, (K,)) | st.builds(stepped, INT32, st.floats(0.1, 1e6), st.just(K)))
    confidences = draw(st.none() | hnp.arrays(np.float32, (K, joints)))
    return FrameBlock(draw(st.integers(1, 2**64 - 1)), values, times, confidences), joints


def stepped(start_us: int, step_us: float, K: int) -> np.ndarray:
    return np.array([start_us + round(k * step_us) for k in range(K)], dtype=np.int64)


def over_the_wire(block: FrameBlock, joints: int) -> FrameBlock:
    data = codec.frames_to_message(block).SerializeToString()
    return codec.frames_from_message(pb.Frames.FromString(data), block.values.shape[1], joints)


@given(blocks())
def test_frames_survive_bit_for_bit(case: tuple[FrameBlock, int]) -> None:
    block, joints = case
    back = over_the_wire(block, joints)
    assert back.first_seq == block.first_seq
    assert back.values.tobytes() == block.values.tobytes()
    assert back.values.shape == block.values.shape
    np.testing.assert_array_equal(back.timestamps_us, block.timestamps_us)
    if block.confidences is None:
        assert back.confidences is None
    else:
        assert back.confidences is not None
        assert back.confidences.tobytes() == block.confidences.tobytes()


@given(INT32, st.floats(1.0, 1e6), st.integers(1, 300))
def test_even_times_travel_as_a_start_and_a_step(start_us: int, step_us: float, K: int) -> None:
    times = stepped(start_us, step_us, K)
    message = codec.frames_to_message(FrameBlock(1, np.zeros((K, 1), np.float32), times))
    assert not message.timestamps_us
    np.testing.assert_array_equal(codec.frames_from_message(message, 1, 1).timestamps_us, times)


def test_uneven_times_travel_as_they_are() -> None:
    times = np.array([0, 10, 21, 30], dtype=np.int64)
    message = codec.frames_to_message(FrameBlock(1, np.zeros((4, 1), np.float32), times))
    assert list(message.timestamps_us) == times.tolist()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"values": b"\0" * 10}, "float32 values, 4 bytes each, got 10 bytes"),
        ({"values": b"\0" * 20}, "expected 2 values a frame, got 5 in all"),
        ({"values": b"\0" * 36, "timestamps_us": [1, 2, 3]}, "expected 2 values a frame, got 3$"),
        ({"values": b""}, "expected one frame or more, got none"),
        ({"first_seq": 0}, "first_seq of 1 or more, got 0"),
        ({"timestamps_us": [1, 2]}, "expected 3 times for 3 frames, got 2"),
        ({"confidences": b"\0" * 8}, r"expected 3 x 1 float32 confidences, 12 bytes, got 8 bytes"),
        ({"step_us": float("nan")}, "within int64, got 0 and nan"),
        ({"step_us": 1e300}, "within int64"),
        ({"start_us": 2**63 - 1, "step_us": 1.0}, "within int64"),
    ],
)
def test_malformed_frames_are_refused(change: dict[str, Any], text: str) -> None:
    good: dict[str, Any] = {"first_seq": 1, "values": b"\0" * 24}
    codec.frames_from_message(pb.Frames(**good), 2, 1)
    with pytest.raises(WireError, match=text):
        codec.frames_from_message(pb.Frames(**(good | change)), 2, 1)


@given(st.binary(max_size=60))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        message = pb.Frames.FromString(data)
    except DecodeError:
        return  # not a message at all: gRPC's business
    try:
        block = codec.frames_from_message(message, 2, 1)
    except WireError:
        return
    assert len(block) == len(message.values) // 8


@pytest.mark.parametrize(
    "arguments",
    [
        (0, np.zeros((1, 2), np.float32), np.zeros(1, np.int64)),
        (1, np.zeros((1, 2)), np.zeros(1, np.int64)),
        (1, np.zeros((2,), np.float32), np.zeros(2, np.int64)),
        (1, np.zeros((0, 2), np.float32), np.zeros(0, np.int64)),
        (1, np.zeros((1, 2), np.float32), np.zeros(2, np.int64)),
        (1, np.zeros((1, 2), np.float32), np.zeros(1)),
        (1, np.zeros((1, 2), np.float32), np.zeros(1, np.int64), np.zeros((2, 1), np.float32)),
    ],
)
def test_a_block_is_checked_on_construction(arguments: tuple[object, ...]) -> None:
    with pytest.raises(WireError, match=r"expected .* got"):
        FrameBlock(*arguments)  # type: ignore[arg-type]  # wrong on purpose


@given(st.lists(EVENTS, max_size=20))
def test_events_survive(events: list[object]) -> None:
    messages = codec.events_to_messages(events)  # type: ignore[arg-type]  # a union of the strategies
    wire = [pb.Event.FromString(message.SerializeToString()) for message in messages]
    assert codec.events_from_messages(wire) == events


def test_runs_of_labels_share_a_message() -> None:
    labels = [Label(k, k + 1, k, k + 1, 3, 1.0, k < 5) for k in range(8)]
    messages = codec.events_to_messages([*labels, ClusterCreated(1, 2), labels[0]])
    assert [message.WhichOneof("event") for message in messages] == ["labels", "labels", "cluster_created", "labels"]
    assert [len(codec.events_from_messages([message])) for message in messages] == [5, 3, 1, 1]


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (pb.Event(), "expected an event of a known kind"),
        (pb.Event(labels=pb.Labels(start_seq=[1, 2], end_seq=[2])), r"labels of one length, got \[2, 1, 0, 0, 0, 0\]"),
        (pb.Event(anomaly=pb.Anomaly(joints=["hand"])), "one deviation per joint, 1, got 0"),
    ],
)
def test_malformed_events_are_refused(message: pb.Event, text: str) -> None:
    with pytest.raises(WireError, match=text):
        codec.events_from_messages([message])


def test_a_skeleton_survives_the_wire() -> None:
    arm = Skeleton("arm", ("shoulder", "elbow"), (-1, 0), "expmap", "cm", 0.01, "-z", 120.0, inverted=True)
    posed = replace(arm, offsets=((0.0, 0.0, 0.0), (0.0, 30.5, 0.0)), axes=((0.0, 0.0, 0.0), (0.0, 0.5, 0.0)))
    for skeleton in (arm, posed, replace(arm, left_handed=True, level=False)):
        assert codec.skeleton_from_message(codec.skeleton_to_message(skeleton)) == skeleton


def test_what_a_skeleton_leaves_out_has_a_default() -> None:
    found = codec.skeleton_from_message(pb.Skeleton(joints=["hand"], parents=[-1], representation="positions"))
    assert (found.metres_per_unit, found.up_axis, found.left_handed, found.level) == (1.0, "y", False, True)


def test_what_is_no_skeleton_is_refused() -> None:
    with pytest.raises(WireError, match="one parent per joint, 2, got 1"):
        codec.skeleton_from_message(pb.Skeleton(joints=["a", "b"], parents=[-1]))
    with pytest.raises(WireError, match="x y z per joint as offsets, got 4 numbers"):
        codec.skeleton_from_message(pb.Skeleton(joints=["a"], parents=[-1], offsets=[1, 2, 3, 4]))
