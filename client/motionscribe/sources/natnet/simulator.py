"""Sends recordings as Motive would: a server of NatNet 4.1 that answers who asks and sends frames to each of them.

Bones are relative to their parents, turned as the body is, as Motive sends them unless told otherwise. Packets are as
in packets.py.
"""

import socket
import struct
import threading
import time
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.datagrams import LARGEST, WAIT_S
from motionscribe.sources.host_port import host_port
from motionscribe.sources.natnet.feed import COMMAND_PORT, SERVER, UP_AXIS
from motionscribe.sources.natnet.packets import BONE, SERVER_INFO, SKELETON, TRACKED, WAYS, Message, pack, unpack
from motionscribe.sources.sending import Actor
from motionscribe_models.arrays import Array
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording
from motionscribe_models.rotations import rotation_vector

NATNET = (4, 1, 0, 0)
LARGEST_FRAME = 60_000
"""Bytes that a datagram has room for."""
FORGOTTEN_S = 10.0
"""After so long without a word a client has gone."""
MOST_CLIENTS = 64
Y_UP = 1


class NatNetSender:
    """The address `natnet:HOST:COMMAND_PORT`, as sources/sending.py wants it. Skeletons are called as recordings are.

    Raises RecordingError for too many joints, OSError where the port is taken.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        actors = [Actor(recording) for recording in recordings]
        self._bones = [_bones(actor) for actor in actors]
        self._number = 0
        definitions = [_definition(number, actor) for number, actor in enumerate(actors, 1)]
        self._definitions = pack(Message.DEFINITIONS, struct.pack("<I", len(actors)) + b"".join(definitions))
        if sum(bones[0].nbytes for bones in self._bones) > LARGEST_FRAME or len(self._definitions) > LARGEST_FRAME:
            raise RecordingError("expected fewer joints: a frame of NatNet is one datagram")
        self.clients: dict[tuple[str, int], float] = {}
        """When each was heard last."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(WAIT_S)
        try:
            self._socket.bind(host_port(address, (SERVER, COMMAND_PORT)))
        except OSError:
            self._socket.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="motionscribe-natnet-server", daemon=True)
        self._thread.start()

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """One frame to each client."""
        self._number += 1
        people = enumerate(zip(self._bones, rows, strict=True), 1)
        there = [(number, bones[row]) for number, (bones, row) in people if row is not None]
        skeletons = b"".join(struct.pack("<II", number, len(bones)) + bones.tobytes() for number, bones in there)
        nothing = bytes(8)
        content = struct.pack("<i", self._number) + nothing * 3
        content += struct.pack("<II", len(there), len(skeletons)) + skeletons + nothing * 4
        content += struct.pack("<IId3QIIHI", 0, 0, time_us / 1e6, 0, 0, 0, 0, 0, 0, 0)
        packet = pack(Message.FRAME, content)
        forgotten = time.monotonic() - FORGOTTEN_S
        with self._lock:
            self.clients = {client: heard for client, heard in self.clients.items() if heard > forgotten}
            clients = list(self.clients)
        for client in clients:
            with suppress(OSError):  # a client that is gone stops nobody
                self._socket.sendto(packet, client)

    def close(self) -> None:
        """Answers nobody any more."""
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        """The thread."""
        while not self._stopped.is_set():
            with suppress(OSError, ValueError):
                packet, client = self._socket.recvfrom(LARGEST)
                message, content = unpack(packet)
                self._answer(message, content, client)

    def _answer(self, message: int, content: bytes, client: tuple[str, int]) -> None:
        with self._lock:
            if client in self.clients or (message == Message.CONNECT and len(self.clients) < MOST_CLIENTS):
                self.clients[client] = time.monotonic()
        if message == Message.CONNECT:
            info = SERVER_INFO.pack(b"motionscribe", *(1, 0, 0, 0), *NATNET) + WAYS.pack(1, self.port, 0, *bytes(4))
            self._socket.sendto(pack(Message.SERVER_INFO, info), client)
        elif message == Message.REQUEST_DEFINITIONS:
            self._socket.sendto(self._definitions, client)
        elif message == Message.REQUEST:
            known = content == UP_AXIS
            answer = pack(Message.RESPONSE, struct.pack("<i", Y_UP)) if known else pack(Message.UNRECOGNIZED)
            self._socket.sendto(answer, client)


def _definition(number: int, actor: Actor) -> bytes:
    """A skeleton's, with its kind and size."""
    parents, offsets = actor.recording.skeleton.parents, _offsets(actor)
    bones = b"".join(
        _text(joint) + struct.pack("<II3fI", n, parents[n - 1] + 1, *offsets[n - 1], 0)
        for n, joint in enumerate(actor.joints, 1)
    )
    content = _text(actor.recording.name) + struct.pack("<II", number, len(parents)) + bones
    return struct.pack("<II", SKELETON, len(content)) + content


def _text(text: str) -> bytes:
    return text.replace("\0", " ").encode() + b"\0"


def _offsets(actor: Actor) -> Array:
    """(J, 3) from parents to joints in the first frame in which most of them are seen."""
    places = actor.places
    row = int(np.isfinite(places).sum(axis=(1, 2)).argmax())
    (steps,) = np.nan_to_num(_steps(places[row : row + 1], actor.recording.skeleton.parents))
    return np.asarray(steps)


def _steps(places: NDArray[np.floating], parents: Sequence[int]) -> Array:
    """(n, J, 3) from parents to joints, from the origin to roots."""
    above = np.array(parents)
    steps: Array = places.astype(np.float64) - np.where((above >= 0)[:, None], places[:, above], 0)
    return steps


def _bones(actor: Actor) -> NDArray[np.void]:
    """(n, J) of BONE. A bone is turned so that what hangs on it is nearest to where its definition has it."""
    parents, offsets, places = actor.recording.skeleton.parents, _offsets(actor), actor.places
    seen = np.isfinite(places).all(axis=2)
    steps = _steps(np.nan_to_num(places), parents)
    turns = np.broadcast_to(np.eye(3), (*seen.shape, 3, 3)).copy()
    for parent in sorted(set(parents) - {-1}):
        children = np.flatnonzero(np.array(parents) == parent)
        left, _, right = np.linalg.svd(np.einsum("ci,ncj->nij", offsets[children], steps[:, children]))
        left[..., 2] *= np.sign(np.linalg.det(left) * np.linalg.det(right))[:, None]  # no mirrors
        turns[:, parent] = (left @ right).swapaxes(1, 2)
    bones = np.zeros(seen.shape, BONE)
    bones["id"] = np.arange(1, len(parents) + 1)
    bones["flags"] = np.where(seen, TRACKED, 0)
    for joint, parent in enumerate(parents):
        back = turns[:, parent].swapaxes(1, 2) if parent >= 0 else np.eye(3)
        bones["place"][:, joint] = (back @ steps[:, joint, :, None])[..., 0]
        vectors = rotation_vector(back @ turns[:, joint])
        halves = np.linalg.norm(vectors, axis=1, keepdims=True) / 2
        bones["turn"][:, joint] = np.hstack([vectors * np.sinc(halves / np.pi) / 2, np.cos(halves)])
    return bones
