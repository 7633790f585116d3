"""A node of ROS 2: skeletons that are published as frames on /tf become streams, whose events are JSON on a topic.

In an environment that sees ROS' own packages, from a checkout (ROS 2 Jazzy or newer, whose Python is new enough):

    source /opt/ros/jazzy/setup.bash
    python3 -m venv --system-site-packages .venv-ros && .venv-ros/bin/pip install .
    .venv-ros/bin/python examples/ros2_node.py --ros-args -p fixed_frame:=map -p "people:=['person1/*', 'person2/*']"
    ros2 topic echo motionscribe/events

| parameter | what it is |
|---|---|
| people | what the frames of each person are called, `*` in place of the joint: `*`, `*_1`, `person1/*` |
| joints | the names of the joints; default: those of OpenNI's tracker and its like |
| fixed_frame | the frame that places are in; default: whatever a frame hangs on in the end |
| up_axis | of the fixed frame: z, as ROS recommends, -y for a camera's optical frame |
| rate_hz | poses a second, 30 |
| address | of the server, 127.0.0.1:50051 |
| stream_id | of one person; of several `ID-1`, `ID-2` and so on, in the order of `people` |

Topics: /tf and /tf_static (tf2_msgs/TFMessage) in, motionscribe/events (std_msgs/String) out. Only rclpy and these
messages are used. Tested with a stand-in for them, not yet with ROS: see tests/examples/test_ros2_node.py.
"""

import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from std_msgs.msg import String
from tf2_msgs.msg import TFMessage

from motionscribe import Client, PushSource, Skeleton
from motionscribe.errors import MotionscribeError
from motionscribe_proto.events import to_dict

JOINTS = ["head", "neck", "torso"] + [
    f"{side}_{joint}" for side in ("left", "right") for joint in ("shoulder", "elbow", "hand", "hip", "knee", "foot")
]
LOST_US = 250_000
"""A joint that is so much older than the pose is not seen."""
MOST_FRAMES = 4096
"""Of /tf; more of them are passed over."""
MOST_LINKS = 64
"""From a frame to the fixed one: more are a circle."""


@dataclass(frozen=True)
class Link:
    """Where a frame is in its parent's, as geometry_msgs/TransformStamped says."""

    parent: str
    place: NDArray[np.float64]
    axis: NDArray[np.float64]
    """x y z of the quaternion."""
    w: float
    time_us: int

    def outwards(self, point: NDArray[np.float64]) -> NDArray[np.float64]:
        """A point of this frame in the parent's."""
        twice = 2 * np.cross(self.axis, point)
        return self.place + point + self.w * twice + np.cross(self.axis, twice)


class Frames:
    """The newest link of each frame."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}

    def take(self, transform: Any) -> None:
        """A geometry_msgs/TransformStamped."""
        move, turn = transform.transform.translation, transform.transform.rotation
        if transform.child_frame_id in self._links or len(self._links) < MOST_FRAMES:
            self._links[transform.child_frame_id] = Link(
                transform.header.frame_id,
                np.array([move.x, move.y, move.z]),
                np.array([turn.x, turn.y, turn.z]),
                turn.w,
                time_of(transform),
            )

    def place(self, frame: str, fixed: str, time_us: int) -> NDArray[np.float64]:
        """(3,) of a frame's origin in the fixed one; NaN where it is not known, or too old at `time_us`."""
        point, links = np.zeros(3), 0
        link = self._links.get(frame)
        if link is None or abs(time_us - link.time_us) > LOST_US:
            return np.full(3, np.nan)
        while link and frame != fixed and links < MOST_LINKS:
            point, frame, links = link.outwards(point), link.parent, links + 1
            link = self._links.get(frame)
        return point if frame == fixed or (not fixed and link is None) else np.full(3, np.nan)


class Person:
    """Frames of one person to poses. A pose ends when one of its joints comes again."""

    def __init__(self, pattern: str, joints: Sequence[str], source: PushSource) -> None:
        before, _, after = pattern.partition("*")
        self.source = source
        self._frames = [f"{before}{joint}{after}" for joint in joints]
        self._came: set[str] = set()
        self._time_us = 0

    def take(self, transform: Any, frames: Frames, fixed: str) -> None:
        """A frame that is to be taken next; before that the pose of the others is pushed, where it is complete."""
        name = transform.child_frame_id
        if name not in self._frames:
            return
        if name in self._came:
            self.push(frames, fixed)
        if not self._came:
            self._time_us = time_of(transform)
        self._came.add(name)

    def push(self, frames: Frames, fixed: str) -> None:
        """The pose, and the next one begins."""
        if self._came:
            places = [frames.place(frame, fixed, self._time_us) for frame in self._frames]
            self.source.push(np.concatenate(places), self._time_us)
        self._came.clear()


def time_of(transform: Any) -> int:
    """Microseconds of a message's stamp."""
    stamp = transform.header.stamp
    return int(stamp.sec) * 1_000_000 + int(stamp.nanosec) // 1000


class MotionscribeNode(Node):
    """Lives until `destroy_node`. A stream that the server refuses is logged as an error; the others go on."""

    def __init__(self) -> None:
        super().__init__("motionscribe")
        joints = self.declare_parameter("joints", JOINTS).value
        people = self.declare_parameter("people", ["*"]).value
        self._fixed = self.declare_parameter("fixed_frame", "").value
        skeleton = Skeleton(
            name="ros",
            joints=tuple(joints),
            parents=(-1,) * len(joints),
            representation="positions",
            units="m",
            metres_per_unit=1.0,
            up_axis=self.declare_parameter("up_axis", "z").value,
            rate_hz=float(self.declare_parameter("rate_hz", 30.0).value),
        )
        stream_id = self.declare_parameter("stream_id", "ros").value
        self._client = Client(self.declare_parameter("address", "127.0.0.1:50051").value)
        self._events = self.create_publisher(String, "motionscribe/events", 100)
        self._frames = Frames()
        self._people = [Person(pattern, joints, PushSource(name="ros", skeleton=skeleton)) for pattern in people]
        ids = [stream_id] if len(people) == 1 else [f"{stream_id}-{n}" for n in range(1, len(people) + 1)]
        self._threads = [
            threading.Thread(target=self._stream, args=(person.source, id), daemon=True)
            for person, id in zip(self._people, ids, strict=True)
        ]
        for thread in self._threads:
            thread.start()
        # who starts later still gets what does not change
        lasting = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.create_subscription(TFMessage, "/tf_static", self._keep, lasting)
        self.create_subscription(TFMessage, "/tf", self._hear, 100)

    def _keep(self, message: TFMessage) -> None:
        for transform in message.transforms:
            self._frames.take(transform)

    def _hear(self, message: TFMessage) -> None:
        for transform in message.transforms:
            for person in self._people:
                person.take(transform, self._frames, self._fixed)
            self._frames.take(transform)

    def _stream(self, source: PushSource, stream_id: str) -> None:
        """The thread of one person."""
        try:
            for event in self._client.stream(source, stream_id=stream_id):
                self._events.publish(String(data=json.dumps({"stream": stream_id, **to_dict(event)})))
        except MotionscribeError as error:
            self.get_logger().error(f"{stream_id}: {error}")

    def destroy_node(self) -> None:
        """Ends the streams, whose last labels are still published."""
        for person in self._people:
            person.push(self._frames, self._fixed)
            person.source.close()
        for thread in self._threads:
            thread.join()
        self._client.close()
        super().destroy_node()


def main() -> None:
    """Runs until it is interrupted."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)  # else nothing can be published at the end
    node = MotionscribeNode()
    with suppress(KeyboardInterrupt):
        while rclpy.ok():
            rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    rclpy.shutdown()


if __name__ == "__main__":
    main()
