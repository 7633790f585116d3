"""Packets of Open Sound Control to messages. Damaged ones are refused, whatever they hold.

The layout is that of the specification, https://opensoundcontrol.stanford.edu/spec-1_0.html: a message is an address,
a string of types that begins with a comma, and its arguments, all big-endian and in multiples of four bytes. A bundle
is `#bundle` and a zero, a time tag of 8 bytes, then elements: a size of 4 bytes, and as many of a message or a bundle.

python-osc reads strings and numbers. Its class for bundles is not used: it never returns where a size is negative.
"""

from collections.abc import Collection, Iterator
from typing import Any

from motionscribe_models.errors import MissingExtraError

BUNDLE = b"#bundle\0"
TAG = 8
"""Bytes of a bundle's time tag."""
SIZE = 4
"""Bytes of an element's size."""


class OscError(ValueError):
    """The packet is damaged, or something else."""


def load_osc_types() -> Any:
    """The module of python-osc that reads arguments. Raises MissingExtraError."""
    try:
        from pythonosc.parsing import osc_types
    except ImportError as error:
        raise MissingExtraError("osc", "the Virtual Motion Capture protocol") from error
    return osc_types


class OscDecoder:
    """Reads the messages that are `wanted`, by address. Raises MissingExtraError."""

    def __init__(self, wanted: Collection[str]) -> None:
        self._types = load_osc_types()
        self._wanted = frozenset(wanted)
        self._readers = {
            "s": self._types.get_string,
            "i": self._types.get_int,
            "h": self._types.get_int64,
            "f": self._types.get_float,
            "d": self._types.get_double,
        }

    def messages(self, packet: bytes) -> list[tuple[str, list[Any]]]:
        """Addresses and arguments (text and numbers) in the packet's order. Raises OscError."""
        waiting, found = [packet], []
        while waiting:
            element = waiting.pop()
            if element.startswith(BUNDLE):
                waiting += reversed(list(_elements(element)))
            elif element.startswith(b"/") and len(element) % 4 == 0:
                try:
                    message = self._message(element)
                except (ValueError, self._types.ParseError) as error:  # ValueError: text that is no UTF-8
                    raise OscError(f"expected a message of OSC, got a damaged one: {error}") from error
                if message:
                    found.append(message)
            else:
                raise OscError("expected a bundle or a message of OSC, got something else")
        return found

    def _message(self, packet: bytes) -> tuple[str, list[Any]] | None:
        address, at = self._types.get_string(packet, 0)
        if address not in self._wanted:
            return None
        tags, at = self._types.get_string(packet, at)
        arguments = []
        for tag in tags[1:]:
            if tag not in self._readers:
                raise OscError(f"expected text and numbers, got an argument of type {tag!r}")
            value, at = self._readers[tag](packet, at)
            arguments.append(value)
        if at > len(packet):  # python-osc fills up what is missing of a float
            raise OscError("expected all arguments, got a part of them")
        return address, arguments


def _elements(bundle: bytes) -> Iterator[bytes]:
    at = len(BUNDLE) + TAG
    if len(bundle) < at:
        raise OscError("expected a bundle with a time tag, got a part of it")
    while at < len(bundle):
        size, at = int.from_bytes(bundle[at : at + SIZE], "big"), at + SIZE
        if not 0 < size <= len(bundle) - at:
            raise OscError(f"expected an element of a bundle, got one of {size} bytes")
        yield bundle[at : at + size]
        at += size
