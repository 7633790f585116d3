"""A session as bytes, and back: everything it learnt, to the bit, without pickle.

In: a Session between two blocks and its encoder states. Out: 32 bytes of SHA-256, then an npz archive: the session's
state() as one JSON tree, and the arrays that stand in it, each under its path. The model is named; what its folder
holds is not in it. Only plain values and arrays come out of the bytes: nothing in them says what is made of them.

Layout: whoever changes what any state() holds raises FORMAT (tests/server/session/test_snapshot.py sees to it). Bytes
of another format, of another model or with a flipped bit are refused with SnapshotError.
"""

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import ContractError
from motionscribe_server.errors import SnapshotError
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.session import Session
from motionscribe_server.session.steps import EncoderStates

FORMAT = 11
"""1 was the reflected tree of objects of motionscribe 0.x; 2 does not place edits; 3 has no memory of bodies; 4 knows
neither which joints are out of sight nor names of clusters that nobody named; 5 has other anomaly scores; 6 has no
book of anomalies; 10 tells nobody of names."""
DIGEST = 32
ARRAY = "$array"
"""The one key of what stands in the tree for an array; its value is the array's name in the archive."""
REFUSED = (
    *(BadZipFile, OSError, ContractError),
    *(ArithmeticError, AttributeError, LookupError, MemoryError, TypeError, ValueError),
)
"""What reading bytes that no session made may raise."""
PLAIN = (bool, int, float, str, type(None))

Arrays = dict[str, NDArray[Any]]


def save(session: Session, encoder_states: EncoderStates) -> bytes:
    """Raises ValueError while steps of the session are not answered."""
    arrays: Arrays = {}
    tree = {
        "format": FORMAT,
        "model": session.model.key,
        "options": asdict(session.options),
        "session": _encode(session.state(), "session", arrays),
        "encoder": _encode(encoder_states, "encoder", arrays),
    }
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, tree=np.frombuffer(json.dumps(tree).encode(), np.uint8), **arrays)
    data = buffer.getvalue()
    return hashlib.sha256(data).digest() + data


def load(data: bytes, model: ServedModel) -> tuple[Session, EncoderStates]:
    """The session of `model` and its encoder states. Raises SnapshotError."""
    digest, body = data[:DIGEST], data[DIGEST:]
    if hashlib.sha256(body).digest() != digest:
        raise SnapshotError(f"expected a whole snapshot, got {len(data)} bytes that are not what was written")
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as archive:
            tree = json.loads(archive["tree"].tobytes())
            found = {name: tree[name] for name in ("format", "model")}
            wanted = {"format": FORMAT, "model": model.key}
            if found != wanted:
                raise SnapshotError(f"expected a snapshot of {wanted}, got one of {found}")
            session = Session(model, SessionOptions(**tree["options"]))
            session.restore(_decode(tree["session"], archive))
            encoder_states: EncoderStates = _decode(tree["encoder"], archive)
            if not isinstance(encoder_states, np.ndarray):
                raise SnapshotError(f"expected an array of encoder states, got {type(encoder_states).__name__}")
    except REFUSED as error:
        raise SnapshotError(f"expected a snapshot, got {type(error).__name__}: {error}") from error
    return session, encoder_states


def _encode(value: Any, path: str, arrays: Arrays) -> Any:
    """A part of a state as JSON; its arrays go into `arrays`."""
    if type(value) in PLAIN:  # no numpy scalar: it would come back as a float, which is not the same in arithmetic
        return value
    if isinstance(value, list):
        return [_encode(item, f"{path}/{i}", arrays) for i, item in enumerate(value)]
    if isinstance(value, dict):
        return {name: _encode(item, f"{path}/{name}", arrays) for name, item in value.items()}
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays[path] = value
        return {ARRAY: path}
    raise SnapshotError(f"{path}: expected plain values and arrays of numbers, got {type(value).__name__}")


def _decode(tree: Any, archive: Mapping[str, NDArray[Any]]) -> Any:
    if isinstance(tree, list):
        return [_decode(item, archive) for item in tree]
    if isinstance(tree, dict):
        if tree.keys() == {ARRAY}:
            return archive[tree[ARRAY]]
        return {name: _decode(item, archive) for name, item in tree.items()}
    return tree
