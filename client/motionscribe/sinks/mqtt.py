"""Events to a broker of MQTT: `mqtt:HOST[:PORT]/TOPIC`, by TLS `mqtts:`. Needs the extra `mqtt`.

Each event is a message (message.py) on TOPIC/STREAM/EVENT, of quality 1: it counts as sent when the broker has said
so. TOPIC/STREAM/now keeps the present label, until the stream ends, for whoever subscribes later. TOPIC/status/RUN is
`online` as long as a command is connected, and then empty, by the broker's last will as well: each command has its own,
for several may share a topic. Facts: MQTT 3.1.1 (OASIS), sections 3.1.2.5, 3.1.3.1, 3.3.1.3, 4.3.2.
"""

import os
import queue
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from motionscribe.errors import BadFile
from motionscribe.events import ClusterNamed, Label
from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.endpoint import parse_endpoint
from motionscribe.sinks.message import Message
from motionscribe.sinks.outlet import Down, Outlet
from motionscribe.sinks.relay import relayed
from motionscribe_models.errors import MissingExtraError

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessageInfo

USER, PASSWORD = "MOTIONSCRIBE_MQTT_USER", "MOTIONSCRIBE_MQTT_PASSWORD"
TIMEOUT_S = 5.0
"""For the next acknowledgement."""
KEEPALIVE_S = 15
"""The broker takes our status away when it has heard nothing for one and a half times as long."""
WILDCARDS = str.maketrans("/+#\0", "____")


@contextmanager
def open_mqtt(address: str) -> Iterator[MakeSink]:
    """What stands after `mqtt:`. Raises BadFile, MissingExtraError."""
    with relayed(f"mqtt:{address}", Mqtt(address)) as make:
        yield make


@contextmanager
def open_mqtts(address: str) -> Iterator[MakeSink]:
    """What stands after `mqtts:`: the broker's certificate must be one that this machine trusts."""
    with relayed(f"mqtts:{address}", Mqtt(address, tls=True)) as make:
        yield make


class Mqtt(Outlet):
    """One topic of one broker. Connections that fail are made anew with nothing in them: the relay sends again."""

    def __init__(self, address: str, *, tls: bool = False) -> None:
        try:
            import paho.mqtt.client
        except ImportError as error:
            raise MissingExtraError("mqtt", "MQTT") from error
        scheme = "mqtts" if tls else "mqtt"
        self._paho: Any = paho.mqtt.client
        self._endpoint = parse_endpoint(f"//{address}", f"{scheme}:HOST:PORT/TOPIC", 8883 if tls else 1883)
        self._topic = self._endpoint.rest.strip("/")
        if not self._topic or any(sign in self._topic for sign in "+#"):
            raise BadFile(f"expected {scheme}:HOST:PORT/TOPIC with a topic and without + and #, got {address!r}")
        self.where = f"{scheme}:{self._endpoint}/{self._topic}"
        self._tls = tls
        self._client: Client | None = None
        self._gone = threading.Event()
        self._now: dict[str, Label] = {}
        """Stream -> the newest label since this connection was made."""
        self._live: set[str] = set()
        """Streams that have not ended; others have no present label, however late theirs are sent."""
        self._shown: set[str] = set()
        """Streams with a present label at the broker."""
        self._cleared: set[str] = set()
        """Streams of earlier commands whose present label nobody took away."""

    def expect(self, stream: str) -> None:
        """It may have a present label from now on."""
        self._live.add(stream)

    def end(self, stream: str) -> None:
        """It has none from now on."""
        self._live.discard(stream)

    def send(self, messages: Sequence[Message]) -> None:
        """Returns when the broker has acknowledged all."""
        client = self._connect()
        sent = []
        for message in messages:
            payload, above = message.to_json(), self._above(message.stream)
            mine = [client.publish(f"{above}/{type(message.event).__name__}", payload, 1)]
            if message.stream in self._live:
                if message.run == self.run and (now := self._news(message)):
                    self._shown.add(message.stream)
                    mine.append(client.publish(f"{above}/now", now.to_json(), 1, retain=True))
            elif message.run != self.run and message.stream not in self._cleared:
                self._cleared.add(message.stream)
                mine.append(client.publish(f"{above}/now", b"", 1, retain=True))
            sent.append(mine)
        self._wait(sent)

    def leave(self, stream: str) -> None:
        """Takes the present label away: an empty message does."""
        if stream in self._shown:
            self._wait([[self._connect().publish(f"{self._above(stream)}/now", b"", 1, retain=True)]])
            self._shown.discard(stream)
        self._now.pop(stream, None)

    def close(self) -> None:
        """Takes its status away itself: the last will is for those who die."""
        if self._client:
            with suppress(Down):
                self._wait([[self._client.publish(self._status, b"", 1, retain=True)]])
            self._hang_up()

    @property
    def _status(self) -> str:
        return f"{self._topic}/status/{self.run}"

    def _above(self, stream: str) -> str:
        return f"{self._topic}/{stream.translate(WILDCARDS)}"

    def _news(self, message: Message) -> Message | None:
        """The present label, where a newer one is of another cluster, or its cluster has another name."""
        event, now = message.event, self._now.get(message.stream)
        if isinstance(event, ClusterNamed) and now and now.cluster == event.cluster:
            return replace(message, event=now, name=event.name)
        if not isinstance(event, Label) or (now and event.end_us < now.end_us):
            return None
        self._now[message.stream] = event
        return None if now and now.cluster == event.cluster else message

    def _connect(self) -> "Client":
        """Raises Down, OSError."""
        if self._client and not self._gone.is_set():
            return self._client
        self._hang_up()
        self._now.clear()  # the broker may have forgotten
        # with the same name as before: the broker ends the former connection, and its will, before this one begins
        name = f"motion{self.run}"
        client: Client = self._paho.Client(self._paho.CallbackAPIVersion.VERSION2, name, reconnect_on_failure=False)
        client.connect_timeout = TIMEOUT_S
        if user := os.environ.get(USER):
            client.username_pw_set(user, os.environ.get(PASSWORD))
        if self._tls:
            client.tls_set_context(ssl.create_default_context())
        client.will_set(self._status, b"", 1, retain=True)
        self._gone = gone = threading.Event()
        answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

        def connected(_client: object, _data: object, _flags: object, code: object, _properties: object) -> None:
            answers.put(code)

        def disconnected(*_: object) -> None:
            gone.set()

        client.on_connect, client.on_disconnect = connected, disconnected
        client.connect(self._endpoint.host, self._endpoint.port, KEEPALIVE_S)
        client.loop_start()
        self._client = client
        try:
            answer = answers.get(timeout=TIMEOUT_S)
        except queue.Empty:
            self._hang_up()
            raise Down("the broker does not answer") from None
        if answer.is_failure:
            self._hang_up()
            raise Down(f"the broker says {answer}")
        self._wait([[client.publish(self._status, "online", 1, retain=True)]])
        return client

    def _wait(self, sent: Sequence[Sequence["MQTTMessageInfo"]]) -> None:
        """Raises Down where the broker does not acknowledge all that belongs to each message.

        It has as long as it likes, as long as acknowledgements come.
        """
        for delivered, mine in enumerate(sent):
            end_s = time.monotonic() + TIMEOUT_S
            try:
                for info in mine:
                    while not info.is_published():
                        if self._gone.is_set() or time.monotonic() > end_s:
                            raise RuntimeError("the connection broke" if self._gone.is_set() else "no acknowledgement")
                        info.wait_for_publish(0.1)
            except (RuntimeError, ValueError) as error:  # ValueError: paho's own queue is full
                slow = not self._gone.is_set()
                self._hang_up()
                raise Down(error, slow=slow, delivered=delivered) from error

    def _hang_up(self) -> None:
        if self._client:
            self._client.disconnect()
            self._client.loop_stop()
            self._client = None
