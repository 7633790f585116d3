"""Sends recordings as QTM would: a real-time server for several clients, none of which is waited for.

It has what a client needs who wants skeletons: their parameters, and frames in millimetres with z up. Packets are as
in packets.py.
"""

import select
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from html import escape

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.datagrams import WAIT_S
from motionscribe.sources.host_port import host_port
from motionscribe.sources.qtm.feed import HOST, PIECE, PORT
from motionscribe.sources.qtm.packets import DATA, HEADER, LARGEST, SEGMENT, SKELETONS, Kind, Packets, pack, text
from motionscribe.sources.sending import Actor
from motionscribe_models.recordings import Recording

MOST_CLIENTS = 16
MOST_WAITING = 2 * LARGEST
"""Bytes for a client who does not read answers."""
SHUTTING_DOWN = bytes([12])


@dataclass(eq=False)
class _Client:
    port: socket.socket
    streaming: bool = False
    packets: Packets = field(default_factory=Packets)
    waiting: bytearray = field(default_factory=bytearray)
    """The rest of what did not go at once."""


class QtmSender:
    """The address `qtm:HOST:PORT`, as sources/sending.py wants it. Skeletons are called as recordings are.

    Raises RecordingError for recordings without places, OSError where the port is taken.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        actors = [Actor(recording) for recording in recordings]
        self._segments = [_segments(actor) for actor in actors]
        self._parameters = text(Kind.XML, _parameters(actors))
        self._number = 0
        self.clients: list[_Client] = []
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._server = socket.create_server(host_port(address, (HOST, PORT)))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="motionscribe-qtm-server", daemon=True)
        self._thread.start()

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """One frame to each client who asked for them; one who is slow misses it."""
        self._number += 1
        content = struct.pack("<I", len(rows))
        for segments, row in zip(self._segments, rows, strict=True):
            there = segments[row] if row is not None else segments[:0, 0]
            content += struct.pack("<I", len(there)) + there.tobytes()
        component = HEADER.pack(HEADER.size + len(content), SKELETONS) + content
        packet = pack(Kind.DATA, DATA.pack(time_us, self._number, 1) + component)
        with self._lock:
            for client in [client for client in self.clients if client.streaming]:
                self._flush(client)
                if not client.waiting:
                    self._say(client, packet)

    def close(self) -> None:
        """Says good-bye."""
        self._stopped.set()
        self._thread.join()
        with self._lock:
            for client in list(self.clients):
                self._say(client, pack(Kind.EVENT, SHUTTING_DOWN))
                self._lose(client)
        self._server.close()

    def _serve(self) -> None:
        """The thread."""
        while not self._stopped.is_set():
            with self._lock:
                clients = {client.port: client for client in self.clients}
                for client in clients.values():
                    self._flush(client)
            try:
                ready, _, _ = select.select([self._server, *clients], [], [], WAIT_S)
            except (OSError, ValueError):  # a client was lost meanwhile
                continue
            for port in ready:
                with self._lock:
                    if port is self._server:
                        self._welcome()
                    elif clients[port] in self.clients:
                        self._hear(clients[port])

    def _welcome(self) -> None:
        with suppress(OSError):
            port, _ = self._server.accept()
            port.setblocking(False)
            client = _Client(port)
            self.clients.append(client)
            if len(self.clients) > MOST_CLIENTS:
                self._lose(client)
            else:
                self._say(client, text(Kind.COMMAND, "QTM RT Interface connected"))

    def _hear(self, client: _Client) -> None:
        try:
            came = client.port.recv(PIECE)
            if not came:
                raise ConnectionResetError
            for kind, content in client.packets.take(came):
                if kind == Kind.COMMAND:
                    self._answer(client, content.rstrip(b"\0").decode("utf-8", "replace").lower().split())
        except BlockingIOError:
            pass
        except (OSError, ValueError):
            self._lose(client)

    def _answer(self, client: _Client, words: list[str]) -> None:
        match words:
            case ["version", version]:
                self._say(client, text(Kind.COMMAND, f"Version set to {version}"))
            case ["byteorder"]:
                self._say(client, text(Kind.COMMAND, "Byte order is little endian"))
            case ["qtmversion"]:
                self._say(client, text(Kind.COMMAND, "QTM Version is 2.17 (motionscribe simulates it)"))
            case ["getparameters", *_]:
                self._say(client, self._parameters)
            case ["streamframes", "stop"]:
                client.streaming = False
            case ["streamframes", "allframes", *components] if "skeleton:global" in components:
                client.streaming = True
            case _:
                self._say(client, text(Kind.ERROR, "Parse error"))

    def _say(self, client: _Client, packet: bytes) -> None:
        client.waiting += packet
        self._flush(client)
        if len(client.waiting) > MOST_WAITING:
            self._lose(client)

    def _flush(self, client: _Client) -> None:
        try:
            while client.waiting:
                del client.waiting[: client.port.send(client.waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._lose(client)

    def _lose(self, client: _Client) -> None:
        client.waiting.clear()
        client.port.close()
        with suppress(ValueError):
            self.clients.remove(client)


def _segments(actor: Actor) -> NDArray[np.void]:
    """(n, J) of SEGMENT, in the order of the XML, not turned."""
    x, y, z = np.moveaxis(actor.places[:, _order(actor)], 2, 0)
    segments = np.zeros(x.shape, SEGMENT)
    segments["id"] = np.arange(1, x.shape[1] + 1)
    segments["place"] = 1000 * np.stack([x, -z, y], axis=2)
    segments["turn"][..., 3] = 1
    return segments


def _parameters(actors: Sequence[Actor]) -> str:
    """What QTM says of axes and skeletons, in XML."""
    skeletons = "".join(
        f'<Skeleton Name="{escape(actor.recording.name)}"><Segments>{_tree(actor)}</Segments></Skeleton>'
        for actor in actors
    )
    return (
        "<QTM_Parameters_Ver_1.25><The_3D><AxisUpwards>+Z</AxisUpwards><Labels>0</Labels></The_3D>"
        f"<Skeletons>{skeletons}</Skeletons></QTM_Parameters_Ver_1.25>"
    )


def _below(actor: Actor, parent: int) -> list[int]:
    return [joint for joint, above in enumerate(actor.recording.skeleton.parents) if above == parent]


def _order(actor: Actor, parent: int = -1) -> list[int]:
    """The joints below one, each before those below it."""
    return [one for joint in _below(actor, parent) for one in (joint, *_order(actor, joint))]


def _tree(actor: Actor, parent: int = -1) -> str:
    """The segments below one."""
    return "".join(
        f'<Segment Name="{escape(actor.joints[joint])}">{_tree(actor, joint)}</Segment>'
        for joint in _below(actor, parent)
    )
