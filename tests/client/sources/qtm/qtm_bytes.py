"""Packets of QTM made by hand, from the protocol that Qualisys publishes, and a server that says what it is told to."""

import socket
import struct
import threading
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike

Script = dict[str, Sequence[bytes | None]]
"""What is said to each command, by its first word; to nothing when a client comes."""
WELCOME = b"QTM RT Interface connected\0"


def packet(kind: int, content: bytes) -> bytes:
    return struct.pack("<II", 8 + len(content), kind) + content


def command(words: str) -> bytes:
    return packet(1, words.encode() + b"\0")


def xml(*skeletons: str, markers: Iterable[str] = (), up: str = "+Z") -> bytes:
    labels = "".join(f"<Label><Name>{escape(name)}</Name><RGBColor>65280</RGBColor></Label>" for name in markers)
    return packet(
        2,
        f"""<QTM_Parameters_Ver_1.25>
    <The_3D>
        <AxisUpwards>{up}</AxisUpwards>
        <CalibrationTime>2019-09-17 16:00:43</CalibrationTime>
        {labels}
        <Bones><Bone From="a" To="b" Color="1"/></Bones>
    </The_3D>
    <Skeletons>{"".join(skeletons)}</Skeletons>
</QTM_Parameters_Ver_1.25>""".encode()
        + b"\0",
    )


def skeleton(name: str, segments: str) -> str:
    return f'<Skeleton Name="{name}"><Scale>1.0</Scale><Segments>{segments}</Segments></Skeleton>'


def segment(name: str, *children: str) -> str:
    transform = '<Position X="1" Y="2" Z="3"/><Rotation X="0" Y="0" Z="0" W="1"/>'
    return (
        f'<Segment Name="{name}" ID="7"><Solver>Global Optimization</Solver><Transform>{transform}</Transform>'
        f'<Markers><Marker Name="m"><Weight>1</Weight></Marker></Markers>{"".join(children)}</Segment>'
    )


def chain(*names: str) -> str:
    """Segments, each below the one before."""
    below = ""
    for name in reversed(names):
        below = segment(name, below)
    return below


def skeletons(*people: ArrayLike) -> bytes:
    """The component of places (J, 3) in millimetres."""
    content = struct.pack("<I", len(people))
    for places in people:
        rows = np.asarray(places, np.float32).reshape(-1, 3)
        content += struct.pack("<I", len(rows))
        content += b"".join(struct.pack("<I3f4f", n, *row.tolist(), 0, 0, 0, 1) for n, row in enumerate(rows, 1))
    return struct.pack("<II", 8 + len(content), 18) + content


def markers(places: ArrayLike) -> bytes:
    rows = np.asarray(places, np.float32).reshape(-1, 3)
    content = struct.pack("<IHH", len(rows), 0, 0) + rows.astype("<f4").tobytes()
    return struct.pack("<II", 8 + len(content), 1) + content


ANALOG = struct.pack("<III", 12, 3, 0)
"""A component that nobody wants."""


def data(time_us: int, *components: bytes) -> bytes:
    return packet(3, struct.pack("<qII", time_us, 1, len(components)) + b"".join(components))


class SpokenServer:
    """Says `answers[n]` to the n-th connection's commands, by their first word; a hang-up is None."""

    def __init__(self, *scripts: Script) -> None:
        self.heard: list[str] = []
        """All commands, in order."""
        self._scripts = list(scripts)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._stopped.set()
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        self._server.settimeout(0.05)
        while not self._stopped.is_set():
            try:
                port, _ = self._server.accept()
            except TimeoutError:
                continue
            script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
            with port:
                port.settimeout(0.05)
                self._speak(port, script)

    def _speak(self, port: socket.socket, script: Script) -> None:
        def say(word: str) -> bool:
            for answer in script.get(word, ()):
                if answer is None:
                    return False
                port.sendall(answer)
            return True

        if not say(""):
            return
        came = b""
        while not self._stopped.is_set():
            try:
                piece = port.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                return
            if not piece:
                return
            came += piece
            while len(came) >= 8 and len(came) >= (size := struct.unpack_from("<I", came)[0]):
                words, came = came[8 : size - 1].decode(), came[size:]
                self.heard.append(words)
                try:
                    if not say(words.split()[0]):
                        return
                except OSError:
                    return


def script(parameters: bytes, *frames: bytes | None, **more: Sequence[bytes | None]) -> Script:
    """A whole connection: all that is asked is answered."""
    return {
        "": [packet(1, WELCOME)],
        "Version": [command("Version set to 1.25")],
        "GetParameters": [parameters],
        "StreamFrames": frames,
        **more,
    }
