"""A session as bytes: it goes on as if nothing had happened, and other bytes are refused."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.made_up_session import RATE, Feed, feed, made_up_model, motion

from motionscribe_models.recordings import even_times, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_proto.events import SegmentEnded
from motionscribe_server.engine.inference import Inference
from motionscribe_server.errors import SnapshotError
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import load, save

MODEL = made_up_model()
SCRIPT = [(0, 25), (1, 30), (2, 25), (0, 30), (3, 20), (2, 25), (1, 12)]
FRAMES = motion(SCRIPT)
TIMES = even_times(len(FRAMES), RATE)


def restored(stream: Feed) -> Feed:
    """The same stream after a trip through bytes."""
    session, state = load(save(stream.session, stream.state), stream.session.model)
    again = Feed(session, stream.engine)
    again.state = state
    return again


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, len(FRAMES) - 1), min_size=1, max_size=4, unique=True).map(sorted), st.booleans())
def test_a_session_goes_on_as_if_nothing_had_happened(cuts: list[int], gap: bool) -> None:
    times = TIMES.copy()
    if gap:
        times[200:] += 2_000_000
    calm, moved = feed(MODEL), feed(MODEL)
    expected, told = [], []
    for start, end in zip([0, *cuts], [*cuts, len(FRAMES)], strict=True):
        expected += calm.send(start + 1, FRAMES[start:end], times[start:end])
        told += moved.send(start + 1, FRAMES[start:end], times[start:end])
        moved = restored(moved)
    assert told + moved.session.close() == expected + calm.session.close()
    assert moved.session.clusters() == calm.session.clusters()


def test_names_and_merges_travel() -> None:
    stream = feed(MODEL)
    stream.send(1, FRAMES, TIMES)
    stream.session.rename(1, "walk")
    stream.session.merge([3], 2)
    again = restored(stream)
    assert again.session.clusters() == stream.session.clusters()
    assert again.session.clusters()[0].name == "walk"


def test_the_shipped_model_goes_on_to_the_bit_through_real_motion(tiny_model: Path, data_dir: Path) -> None:
    model = ServedModel(read_bundle(tiny_model))
    engine = Inference(read_bundle(tiny_model), batch_sizes=(1,))
    recording = read_recording(data_dir / "sub86" / "03.mat")
    frames, times = recording.frames[:6000], recording.timestamps_us[:6000]
    calm, moved = Feed(Session(model), engine), Feed(Session(model), engine)
    expected, told, sizes = [], [], []
    for start in range(0, len(frames), 500):
        rows = slice(start, start + 500)
        expected += calm.send(start + 1, frames[rows], times[rows])
        told += moved.send(start + 1, frames[rows], times[rows])
        sizes.append(len(save(moved.session, moved.state)))
        moved = restored(moved)
    assert told == expected
    assert any(isinstance(event, SegmentEnded) for event in told)
    assert max(sizes) < 3_000_000
    assert calm.session.close() == moved.session.close()


def test_a_snapshot_costs_the_session_nothing() -> None:
    calm, watched = feed(MODEL), feed(MODEL)
    for start in range(0, 300, 30):
        rows = slice(start, start + 30)
        before = calm.send(start + 1, FRAMES[rows], TIMES[rows])
        assert watched.send(start + 1, FRAMES[rows], TIMES[rows]) == before
        save(watched.session, watched.state)
    assert calm.session.close() == watched.session.close()


# -- what is refused


@pytest.fixture(scope="module")
def data() -> bytes:
    stream = feed(MODEL)
    stream.send(1, FRAMES[:90], TIMES[:90])
    return save(stream.session, stream.state)


@settings(deadline=None, max_examples=50)
@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(data: bytes, where: float, bit: int) -> None:
    broken = bytearray(data)
    broken[int(where * len(data))] ^= 1 << bit
    with pytest.raises(SnapshotError, match="not what was written"):
        load(bytes(broken), MODEL)


@settings(deadline=None, max_examples=20)
@given(keep=st.floats(0, 1, exclude_max=True))
def test_a_truncated_snapshot_is_noticed(data: bytes, keep: float) -> None:
    with pytest.raises(SnapshotError):
        load(data[: int(keep * len(data))], MODEL)


def forged(tree: Any) -> bytes:
    """A snapshot with a good digest that says `tree`."""
    import hashlib

    from motionscribe_server.session.snapshot import FORMAT

    whole = {"format": FORMAT, "model": MODEL.key, "session": tree}
    buffer = io.BytesIO()
    text = np.frombuffer(json.dumps(whole).encode(), np.uint8)
    np.savez(buffer, allow_pickle=False, tree=text, state=np.zeros(3))
    return hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue()


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (["object", "os", "system", []], "a class of this project, got os.system"),
        (["object", "motionscribe_server.session.session", "np", []], "a class of this project"),
        (["object", "motionscribe_server.nothing", "X", []], "ModuleNotFoundError"),
        (["object", "motionscribe_server.session.snapshot", "load", []], "a class of this project"),
        (["object", "motionscribe_server.session.span", "Span", []], "expected a session, got Span"),
        (["explode"], "expected a kind of value, got 'explode'"),
        (["array", 7], "KeyError"),
        (["part", ".no such part"], "KeyError"),
        (["met", 3], "IndexError"),
        ([], "ValueError"),
        (5, "expected a session, got int"),
    ],
)
def test_a_tree_that_no_session_makes_is_refused(tree: Any, expected: str) -> None:
    with pytest.raises(SnapshotError, match=expected):
        load(forged(tree), MODEL)


def test_a_snapshot_of_another_model_is_refused(data: bytes, tiny_model: Path) -> None:
    with pytest.raises(SnapshotError, match="cmu-expmap/1"):
        load(data, ServedModel(read_bundle(tiny_model)))
