"""What can be known of a file of feeds before anything starts: no source is opened, and nothing is written.

The openers' own parsers look at addresses; files of recordings and folders must be there, and the extras installed.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from motionscribe.errors import BadFile, MotionscribeError
from motionscribe.feeds.feed_file import FeedFile
from motionscribe.feeds.outputs import free_address
from motionscribe.lab_streaming import load_pylsl
from motionscribe.sinks import addresses
from motionscribe.sinks.mqtt import Mqtt
from motionscribe.sinks.osc import Osc
from motionscribe.sinks.webhook import Webhook
from motionscribe.sources import schemes
from motionscribe.sources.datagrams import port_of
from motionscribe.sources.host_port import host_port
from motionscribe.sources.json_feeds.websocket import WebSocketReader
from motionscribe_models.errors import ContractError

Check = Callable[[str], object]


def check_feeds(path: Path, wanted: FeedFile) -> None:
    """Raises BadFile with the first place that cannot work."""
    _check(f"{path}: address", _server, wanted.connection.address)
    for number, feed in enumerate(wanted.feeds, 1):
        scheme, address = schemes.parse_address(feed.plan.text)
        _check(f"{path}: feed {number}: source", SOURCES.get(scheme.name, str), address)
        for text in feed.places:
            place, address = addresses.parse_place(text)
            look = _output(place) if addresses.is_file(place) else PLACES.get(place.key, str)
            _check(f"{path}: feed {number}: to", look, address)


def _check(where: str, look: Check, address: str) -> None:
    try:
        look(address)
    except (MotionscribeError, ContractError, OSError, ValueError) as error:
        raise BadFile(f"{where}: {error}") from error


def _server(address: str) -> None:
    host = address.rpartition(":")[0]
    plain = address.isascii() and address.isprintable() and " " not in address
    if not plain or (not host.startswith("unix") and ".." in host):
        raise BadFile(f"expected an address HOST:PORT, got {address!r}")


def _recording(address: str) -> None:
    if not Path(address).exists():
        raise BadFile(f"{address}: expected a file, found none")


def _camera(address: str) -> None:
    if not address.isdecimal() and not Path(address).is_file():
        raise BadFile(f"expected the number of a camera, such as 0, or a video file, got {address!r}")


def _output(place: addresses.Place) -> Check:
    """The openers of files make none before the first stream is there."""

    def look(address: str) -> None:
        with place.open(free_address(place, address)):
            pass

    return look


def _port(address: str) -> object:
    return port_of(address, 1)


def _host(address: str) -> object:
    return host_port(address, ("", 1))


def _lsl(name: str) -> object:
    return load_pylsl()


SOURCES: Mapping[str, Check] = {
    "": _recording,
    "lsl": _lsl,
    "vmc": _port,
    "udp": _port,
    "mvn": _port,
    "natnet": _host,
    "qtm": _host,
    "ws": lambda address: WebSocketReader("ws", address),
    "wss": lambda address: WebSocketReader("wss", address),
    "camera": _camera,
}
PLACES: Mapping[str, Check] = {
    "https": Webhook,
    "http": Webhook,
    "mqtts": Mqtt,
    "mqtt": Mqtt,
    "osc": Osc,
    "lsl": _lsl,
}
