"""A stand-in for what examples/ros2_node.py takes of ROS 2: the same names, and messages that a test hands over."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "ros2_node.py"


@dataclass
class String:
    data: str = ""


@dataclass
class TFMessage:
    transforms: list[Any] = field(default_factory=list)


@dataclass
class Publisher:
    topic: str
    sent: list[String] = field(default_factory=list)

    def publish(self, message: String) -> None:
        assert isinstance(message, String)
        self.sent.append(message)


class Node:
    """As rclpy's: parameters come from the command line, callbacks are called by whoever spins."""

    parameters: dict[str, Any] = {}  # noqa: RUF012  a test sets it for the node it makes

    def __init__(self, name: str) -> None:
        assert name == "motionscribe"
        self.callbacks: dict[str, Callable[[TFMessage], None]] = {}
        self.publishers: list[Publisher] = []
        self.errors: list[str] = []
        self.destroyed = False

    def declare_parameter(self, name: str, default: Any) -> Any:
        value = self.parameters.get(name, default)
        assert type(value) is type(default), "ROS refuses another type"
        return SimpleNamespace(value=value)

    def create_publisher(self, kind: type, topic: str, depth: int) -> Publisher:
        assert kind is String
        assert depth > 0
        self.publishers.append(Publisher(topic))
        return self.publishers[-1]

    def create_subscription(self, kind: type, topic: str, callback: Callable[[TFMessage], None], quality: Any) -> None:
        assert kind is TFMessage
        assert (quality == 100) is (topic == "/tf")
        self.callbacks[topic] = callback

    def get_logger(self) -> Any:
        return SimpleNamespace(error=self.errors.append)

    def destroy_node(self) -> None:
        self.destroyed = True


def stamped(parent: str, child: str, time_us: int, place: Any, turn: Any = (0.0, 0.0, 0.0, 1.0)) -> Any:
    """A geometry_msgs/TransformStamped; `turn` is x y z w."""
    stamp = SimpleNamespace(sec=time_us // 1_000_000, nanosec=time_us % 1_000_000 * 1000)
    return SimpleNamespace(
        header=SimpleNamespace(stamp=stamp, frame_id=parent),
        child_frame_id=child,
        transform=SimpleNamespace(
            translation=SimpleNamespace(**dict(zip("xyz", map(float, place), strict=True))),
            rotation=SimpleNamespace(**dict(zip("xyzw", map(float, turn), strict=True))),
        ),
    )


def ros_example(monkeypatch: pytest.MonkeyPatch, spins: Iterator[Callable[[Any], None]]) -> ModuleType:
    """The example, imported with these stand-ins. Its `main` does what `spins` says and is then interrupted."""

    def spin_once(node: Any, *, timeout_sec: float) -> None:
        assert timeout_sec > 0
        spin = next(spins, None)
        if spin is None:
            raise KeyboardInterrupt
        spin(node)

    modules: dict[str, dict[str, Any]] = {
        "rclpy": {
            "init": lambda *, signal_handler_options: None,
            "ok": lambda: True,
            "spin_once": spin_once,
            "shutdown": lambda: None,
        },
        "rclpy.node": {"Node": Node},
        "rclpy.qos": {"DurabilityPolicy": SimpleNamespace(TRANSIENT_LOCAL=1), "QoSProfile": SimpleNamespace},
        "rclpy.signals": {"SignalHandlerOptions": SimpleNamespace(NO=0)},
        "std_msgs.msg": {"String": String},
        "tf2_msgs.msg": {"TFMessage": TFMessage},
    }
    for name, contents in modules.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    spec = spec_from_file_location("ros2_node", EXAMPLE)
    assert spec
    assert spec.loader
    example = module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "ros2_node", example)  # dataclasses look their module up
    spec.loader.exec_module(example)
    return example
