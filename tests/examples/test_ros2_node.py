"""examples/ros2_node.py with a stand-in for ROS 2, which cannot be installed in CI."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from tests.support.any_width import AnyWidthServer
from tests.support.ros import Node, TFMessage, ros_example, stamped
from tests.support.scripted_server import Act, ScriptedServer

TURN = (0.5, 0.5, 0.5, 0.5)
"""x becomes y, y becomes z, z becomes x."""
JOINTS = ["head", "left_hand", "right_hand"]
FRAMES = 12


def places_at(row: int, person: int) -> np.ndarray:
    """(3, 3) of the joints in the camera's frame, exact in float32."""
    return np.arange(9.0).reshape(3, 3) + row / 8 + 100 * person


def times_of(frames: int) -> list[int]:
    return [1_700_000_000_000_000 + 33_000 * row for row in range(frames)]


def message(row: int, person: int, pattern: str, joints: list[str] = JOINTS) -> TFMessage:
    time_us = times_of(row + 1)[row]
    transforms = [
        stamped("camera", pattern.replace("*", joint), time_us, place)
        for joint, place in zip(JOINTS, places_at(row, person), strict=True)
        if joint in joints
    ]
    return TFMessage([*transforms, stamped("map", "base_link", time_us, (9, 9, 9))])


def run(
    monkeypatch: pytest.MonkeyPatch, address: str, messages: list[tuple[str, TFMessage]], **parameters: Any
) -> Node:
    """The node after it heard the messages and was interrupted."""
    nodes: list[Node] = []

    def hand_over() -> Iterator[Callable[[Node], None]]:
        for topic, one in messages:

            def spin(node: Node, topic: str = topic, one: TFMessage = one) -> None:
                nodes.append(node)
                node.callbacks[topic](one)

            yield spin

    monkeypatch.setattr(Node, "parameters", {"address": address, "joints": JOINTS, **parameters})
    ros_example(monkeypatch, hand_over()).main()
    assert nodes[0].destroyed
    return nodes[0]


def test_people_on_tf_become_streams_and_events_a_topic(monkeypatch: pytest.MonkeyPatch) -> None:
    mounted = TFMessage([stamped("map", "camera", 0, (1, 2, 3), TURN)])
    messages = [("/tf_static", mounted)]
    for row in range(FRAMES):
        messages += [("/tf", message(row, 0, "first/*")), ("/tf", message(row, 1, "*_2"))]
    with AnyWidthServer() as server:
        node = run(
            *(monkeypatch, server.address, messages),
            people=["first/*", "*_2"],
            fixed_frame="map",
            stream_id="lab",
        )
    assert node.errors == []
    assert {opening.stream_id for opening in server.opens} == {"lab-1", "lab-2"}
    skeleton = server.opens[0].skeleton
    assert (list(skeleton.joints), skeleton.up_axis, skeleton.representation) == (JOINTS, "z", "positions")
    came = sorted((np.concatenate([b.values for b in blocks]) for blocks in server.frames.values()), key=np.max)
    for person, values in enumerate(came):
        turned = [np.roll(places_at(row, person), 1, axis=1) for row in range(FRAMES)]
        np.testing.assert_allclose(values.reshape(FRAMES, 3, 3), np.add(turned, (1, 2, 3)))
    (events,) = node.publishers
    assert events.topic == "motionscribe/events"
    said = [json.loads(one.data) for one in events.sent]
    assert sorted((event["stream"], event["start_us"]) for event in said if event["event"] == "Label") == [
        (stream, time_us) for stream in ("lab-1", "lab-2") for time_us in times_of(FRAMES)
    ]


def poses(monkeypatch: pytest.MonkeyPatch, messages: list[TFMessage], **parameters: Any) -> np.ndarray:
    """(n, 3, 3) of one person who came so."""
    with AnyWidthServer() as server:
        node = run(monkeypatch, server.address, [("/tf", one) for one in messages], **parameters)
    assert node.errors == []
    (blocks,) = server.frames.values()
    return np.concatenate([block.values for block in blocks]).reshape(-1, 3, 3)


def test_joints_that_come_one_by_one_are_one_pose(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [
        TFMessage([stamped("camera", joint, time_us + 100 * n, places_at(row, 0)[n])])
        for row, time_us in enumerate(times_of(3))
        for n, joint in enumerate(JOINTS)
    ]
    np.testing.assert_array_equal(poses(monkeypatch, messages), [places_at(row, 0) for row in range(3)])


def test_a_joint_that_is_gone_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [message(0, 0, "*"), *(message(row, 0, "*", ["head", "right_hand"]) for row in range(1, 12))]
    lost = np.isnan(poses(monkeypatch, messages)).all(axis=2)
    assert not lost[:, [0, 2]].any()
    assert lost[:, 1].tolist() == [33_000 * row > 250_000 for row in range(12)]


def test_frames_that_hang_on_nothing_or_in_a_circle_are_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    (time_us,) = times_of(1)
    circle = [
        stamped("left_hand", "right_hand", time_us, (1, 0, 0)),
        stamped("right_hand", "left_hand", time_us, (1, 0, 0)),
    ]
    (pose,) = poses(monkeypatch, [TFMessage([*circle, stamped("map", "head", time_us, (1, 2, 3))])], fixed_frame="map")
    assert pose[0].tolist() == [1, 2, 3]
    assert np.isnan(pose[1:]).all()


def test_a_refused_stream_is_an_error_in_the_log(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(Act(status=grpc.StatusCode.NOT_FOUND)) as server:
        node = run(monkeypatch, server.address, [("/tf", message(0, 0, "*"))])
    assert node.errors == ["ros: refused on purpose"]
    assert node.publishers[0].sent == []
