"""A real broker that is killed and comes back, and a subscriber that chooses by stream and kind of event."""

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.messages import EVERY_EVENT, finals
from tests.support.mosquitto import mosquitto
from tests.support.redis_server import free_port
from tests.support.waiting import wait_until

from motionscribe.errors import BadFile
from motionscribe.events import ClusterNamed, Label, SegmentStarted
from motionscribe.sinks import StreamInfo, addresses, mqtt, relay
from motionscribe.sinks.message import Message
from motionscribe.sinks.mqtt import Mqtt
from motionscribe.sinks.outlet import Down
from motionscribe.sinks.relay import Relay
from motionscribe_models.errors import MissingExtraError
from motionscribe_proto.events import to_dict

paho = pytest.importorskip("paho.mqtt.client")
Heard = list[tuple[str, str, bool]]
"""Topic, text, and whether the broker had kept it."""
INFO = StreamInfo("gym/1", "a title", {7: "walk"})


@contextmanager
def subscriber(port: int, pattern: str) -> Iterator[Heard]:
    """What comes."""
    came: Heard = []
    ready: list[int] = []
    client = paho.Client(paho.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _d, m: came.append((m.topic, m.payload.decode(), m.retain))
    client.on_subscribe = lambda *_: ready.append(1)
    client.connect("127.0.0.1", port)
    client.subscribe(pattern, 1)
    client.loop_start()
    try:
        wait_until(lambda: bool(ready))
        yield came
    finally:
        client.disconnect()
        client.loop_stop()


def test_each_event_has_a_topic_and_the_present_label_is_kept(tmp_path: Path) -> None:
    port = free_port()
    place, address = addresses.parse_place(f"mqtt:127.0.0.1:{port}/lab/motion")
    with mosquitto(tmp_path, port), subscriber(port, "#") as came:
        with place.open(address) as make:
            sink = make(INFO)
            for event in EVERY_EVENT:
                sink.write(event)
            wait_until(lambda: any("Restarted" in topic for topic, _, _ in came))
            with subscriber(port, "lab/motion/+/now") as later, subscriber(port, "lab/motion/status/+") as status:
                wait_until(lambda: bool(later and status))
            sink.close()
        wait_until(lambda: came[-1][:2] == (status[0][0], ""))
    now = [text for topic, text, _ in came if topic.endswith("/now")]
    named, last = json.loads(now[0]), json.loads(later[0][1])
    assert (named["name"], last["name"]) == ("walk", "stroll")
    assert last.items() >= to_dict(EVERY_EVENT[3]).items()
    assert (later[0][2], status[0][1:]) == (True, ("online", True))
    run = json.loads(later[0][1])["id"].partition("-")[0]
    assert status[0][0] == f"lab/motion/status/{run}"
    events = [(topic, json.loads(text)) for topic, text, _ in came if "gym_1" in topic and not topic.endswith("/now")]
    assert [topic for topic, _ in events] == [f"lab/motion/gym_1/{type(event).__name__}" for event in EVERY_EVENT]
    for (_, message), event in zip(events, EVERY_EVENT, strict=True):
        assert to_dict(event).items() <= message.items()
        assert message["stream"] == "gym/1"
    # one label of the cluster, one with its new name, and none when the stream has ended
    assert [text[:5] for text in now] == ['{"id"', '{"id"', ""]


def wait_for(heard: Heard, count: int) -> None:
    wait_until(lambda: len(heard) >= count)


class Patient(Mqtt):
    """Connects when the subscriber, who would miss what came before, is ready."""

    ready = threading.Event()

    def _connect(self) -> Any:
        if not self.ready.is_set():
            raise ConnectionRefusedError("nobody subscribes yet")
        return super()._connect()


def test_a_broker_that_is_killed_and_started_again_gets_the_rest(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    came: Heard = []
    outlet = Patient(f"127.0.0.1:{port}/m")
    under_way = Relay("mqtt:a", outlet)
    sink = under_way.sink(INFO)
    events = finals(90)
    for n in range(3):
        with mosquitto(tmp_path, port) as broker, subscriber(port, "m/+/Label") as heard:
            outlet.ready.set()
            for event in events[30 * n : 30 * n + 20]:
                sink.write(event)
            wait_until(lambda: under_way.state.down_since is None and not under_way.state.waiting)
            wait_for(heard, 30 if n else 20)
            came += heard
            broker.kill()
            outlet.ready.clear()
            for event in events[30 * n + 20 : 30 * n + 30]:
                sink.write(event)
            wait_until(lambda: under_way.state.down_since is not None)
    with mosquitto(tmp_path, port), subscriber(port, "m/+/Label") as heard:
        outlet.ready.set()
        under_way.close()
        wait_for(heard, 10)
    came += heard
    messages = {json.loads(text)["id"]: json.loads(text)["start_seq"] for _, text, _ in came}
    assert list(messages.values()) == list(range(1, 91))
    assert under_way.state.sent == 90
    assert caplog.text.count("is back after") == 3


def test_who_dies_has_no_status_and_the_others_keep_theirs(tmp_path: Path) -> None:
    port = free_port()
    program = f"""if True:
        import os
        from motionscribe.events import Gap
        from motionscribe.sinks.message import Message
        from motionscribe.sinks.mqtt import Mqtt
        outlet = Mqtt("127.0.0.1:{port}/m")
        outlet.run = "run"
        outlet.send([Message("run", 1, "s", Gap(1, 1, 0, 1))])
        os.kill(os.getpid(), 9)
    """
    other = Mqtt(f"127.0.0.1:{port}/m")
    other.run = "other"
    with mosquitto(tmp_path, port), subscriber(port, "m/#") as came:
        other.send([])
        subprocess.run([sys.executable, "-c", program], check=False)
        wait_until(lambda: len(came) == 4)
        with subscriber(port, "m/status/+") as later:
            wait_until(lambda: bool(later))
        other.close()
    assert [(topic, text[:11]) for topic, text, _ in came[:4]] == [
        ("m/status/other", "online"),
        ("m/status/run", "online"),
        ("m/s/Gap", '{"id": "run'),
        ("m/status/run", ""),
    ]
    assert later == [("m/status/other", "online", True)]


def test_a_stream_that_ended_while_the_broker_was_away_has_no_present_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    with monkeypatch.context() as patch:
        patch.setattr(relay, "PATIENCE_S", 0.01)
        earlier = Relay("mqtt:c", Mqtt(f"127.0.0.1:{port}/m"))
        earlier.sink(StreamInfo("earlier", "a title")).write(finals(1)[0])
        earlier.close()
    outlet = Patient(f"127.0.0.1:{port}/m")
    outlet.ready.clear()
    under_way = Relay("mqtt:c", outlet)
    ended, live = (under_way.sink(StreamInfo(stream, "a title")) for stream in ("ended", "live"))
    ended.write(finals(1)[0])
    ended.close()
    live.write(finals(1)[0])
    with mosquitto(tmp_path, port), subscriber(port, "m/#") as came:
        # what an earlier command showed when it lost the broker
        publisher = paho.Client(paho.CallbackAPIVersion.VERSION2)
        publisher.connect("127.0.0.1", port)
        publisher.loop_start()
        publisher.publish("m/earlier/now", "walk", 1, retain=True).wait_for_publish(10)
        outlet.ready.set()
        wait_until(lambda: any(topic == "m/live/now" for topic, _, _ in came))
        with subscriber(port, "m/+/now") as later:
            wait_until(lambda: bool(later))
        publisher.disconnect()
        publisher.loop_stop()
        under_way.close()
    assert [topic for topic, _, _ in later] == ["m/live/now"]
    assert {topic for topic, _, _ in came} >= {"m/earlier/Label", "m/ended/Label", "m/live/Label"}
    assert "m/ended/now" not in {topic for topic, _, _ in came}


def test_a_broker_has_time_as_long_as_acknowledgements_come(monkeypatch: pytest.MonkeyPatch) -> None:
    class Acknowledged:
        """After 0.1 s for each before it."""

        def __init__(self, number: int) -> None:
            self.at_s = time.monotonic() + 0.1 * number

        def is_published(self) -> bool:
            return time.monotonic() > self.at_s

        def wait_for_publish(self, timeout: float) -> None:
            time.sleep(0.01)

    monkeypatch.setattr(mqtt, "TIMEOUT_S", 0.3)
    wait: Any = Mqtt("127.0.0.1:1/m")._wait  # noqa: SLF001  no broker here is so slow
    wait([[Acknowledged(n)] for n in range(1, 6)])
    with pytest.raises(Down, match="no acknowledgement") as caught:
        wait([[Acknowledged(n)] for n in (0, 1, 50)])
    assert (caught.value.delivered, caught.value.slow) == (2, True)


def test_a_broker_with_passwords(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tool = shutil.which("mosquitto_passwd") or shutil.which("mosquitto_passwd", path="/usr/sbin:/usr/bin")
    if not tool:
        pytest.skip("needs mosquitto_passwd")
    passwords = tmp_path / "passwords"
    subprocess.run([tool, "-b", "-c", str(passwords), "me", "a secret"], check=True)
    port = free_port()
    with mosquitto(tmp_path, port, {"allow_anonymous": "false", "password_file": str(passwords)}):
        under_way = Relay("mqtt:b", Mqtt(f"127.0.0.1:{port}/m"))
        under_way.sink(INFO).write(finals(1)[0])
        wait_until(lambda: under_way.state.down_since is not None)
        assert "the broker says Not authorized" in caplog.text
        monkeypatch.setenv(mqtt.USER, "me")
        monkeypatch.setenv(mqtt.PASSWORD, "a secret")
        under_way.close()
    assert under_way.state.sent == 1


def test_the_present_label_is_the_newest_of_another_cluster_or_of_another_name() -> None:
    news = Mqtt("127.0.0.1:1/m")._news  # noqa: SLF001  a broker would show the same, label by label

    def label(end_us: int, cluster: int) -> bool:
        return news(Message("r", 1, "s", Label(1, 2, end_us - 1, end_us, cluster, 0.5, False))) is not None

    assert [label(10, 0), label(20, 0), label(15, 3), label(30, 3)] == [True, False, False, True]
    assert not news(Message("r", 1, "s", SegmentStarted(1, 1, "", 1, 0)))
    assert label(40, 3) is False
    assert not news(Message("r", 2, "s", ClusterNamed(4, "run", 41)))
    now = news(Message("r", 3, "s", ClusterNamed(3, "walk", 41)))
    assert now == Message("r", 3, "s", Label(1, 2, 39, 40, 3, 0.5, False), "walk")


@pytest.mark.parametrize(
    "address",
    ["", "host", "host/", "host:99999/m", "host:0/m", "a..b/m", "host//", "host/a/#", "/m", "me:secret@host/m"],
)
def test_what_is_no_address_is_an_error(address: str) -> None:
    with pytest.raises(BadFile, match="expected mqtts:HOST:PORT/TOPIC"):
        Mqtt(address, tls=True)


def test_without_paho_the_error_is_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho", None)
    monkeypatch.delitem(sys.modules, "paho.mqtt", raising=False)
    monkeypatch.delitem(sys.modules, "paho.mqtt.client", raising=False)
    with pytest.raises(MissingExtraError, match=r'pip install "motionscribe\[mqtt\]"'):
        Mqtt("host/m")
