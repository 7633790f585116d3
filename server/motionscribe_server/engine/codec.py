"""Messages as bytes and back, without pickle: a packet is a length and the msgpack of a sequence of messages.

In: the values of messages.py; the bytes of packets in pieces of any size. Out: packets; messages. Which classes may
travel says class_table.py. Floats and arrays keep every bit, numpy's scalars become plain numbers, lists become tuples,
arrays are read-only views. Bytes that are no packet raise CodecError. No sockets here.
"""

import struct
from collections.abc import Sequence
from types import UnionType
from typing import Any

import msgpack

from motionscribe_server.engine.class_table import from_plain, to_plain
from motionscribe_server.engine.messages import Message

LENGTH = struct.Struct("<Q")
LARGEST = 1 << 30
"""Bytes of a packet, a thousand times those of a snapshot: what claims to be larger is no packet."""


class CodecError(Exception):
    """Bytes are no packet of messages, or a value is of a class that does not travel."""


def encode(sent: Sequence[Message]) -> bytes:
    """A packet of messages. Raises CodecError for values that do not travel."""
    try:
        # surrogates: names of files may hold bytes that are no text
        body: bytes = msgpack.packb(list(sent), default=to_plain, strict_types=True, unicode_errors="surrogatepass")
    except (TypeError, ValueError, OverflowError) as error:
        raise CodecError(f"cannot send {sent}: {error}") from error
    return LENGTH.pack(len(body)) + body


class Decoder:
    """The bytes of packets as they come, to messages of one direction: FromServer or FromWorker."""

    def __init__(self, direction: UnionType) -> None:
        self._direction = direction
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages of the packets that `data` completes. Raises CodecError, and is of no more use then."""
        self._buffer += data
        received: list[Any] = []
        start = 0
        with memoryview(self._buffer) as view:
            while len(view) >= start + LENGTH.size:
                (length,) = LENGTH.unpack_from(view, start)
                if length > LARGEST:
                    raise CodecError(f"expected a packet of at most {LARGEST} bytes, got the length {length}")
                body, end = start + LENGTH.size, start + LENGTH.size + length
                if len(view) < end:
                    break
                received += self._decode(view[body:end])
                start = end
        del self._buffer[:start]
        return received

    def _decode(self, body: memoryview) -> tuple[Any, ...]:
        try:
            received = msgpack.unpackb(body, object_hook=from_plain, use_list=False, unicode_errors="surrogatepass")
        except Exception as error:  # those of msgpack have no base, and classes refuse fields with errors of their own
            raise CodecError(f"expected a packet, got {len(body)} bytes: {type(error).__name__}: {error}") from error
        if not isinstance(received, tuple) or not all(isinstance(one, self._direction) for one in received):
            raise CodecError(f"expected messages of {self._direction}, got {received!r:.200}")
        return received
