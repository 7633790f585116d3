"""A session as bytes: it goes on as if nothing had happened, and other bytes are refused.

`python -m tests.server.session.test_snapshot` writes the layout of the present format into snapshot_layout.txt.
"""

import hashlib
import io
import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.anomaly_arrays import TENFOLD
from tests.support.lost_joints import PLAY, without
from tests.support.made_up_session import RATE, Means, feed, made_up_bundle, made_up_model, motion

from motionscribe_models.body.skeleton import BODY
from motionscribe_models.recordings import even_times, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_models.state import State
from motionscribe_proto.events import Anomaly, Event, SegmentEnded
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.inference import Inference
from motionscribe_server.errors import SnapshotError
from motionscribe_server.session.drive import Driver
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.session import Session
from motionscribe_server.session.snapshot import FORMAT, load, save

MODEL = ServedModel(made_up_bundle(knots={"jump": TENFOLD}))
SCRIPT = [(0, 25), (1, 30), (2, 25), (0, 30), (3, 20), (2, 25), (1, 12)]
FRAMES = motion(SCRIPT)
TIMES = even_times(len(FRAMES), RATE)
LAYOUT = Path(__file__).with_name("snapshot_layout.txt")


def restored(stream: Driver) -> Driver:
    session, encoder_states = load(save(stream.session, stream.encoder_states), stream.session.model)
    return Driver(session, stream.engine, encoder_states)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, len(FRAMES) - 1), min_size=1, max_size=4, unique=True).map(sorted), st.booleans())
def test_a_session_goes_on_as_if_nothing_had_happened(cuts: list[int], gap: bool) -> None:
    times = TIMES.copy()
    if gap:
        times[200:] += 2_000_000
    calm, moved = feed(MODEL), feed(MODEL)
    expected, told = [], []
    for start, end in zip([0, *cuts], [*cuts, len(FRAMES)], strict=True):
        block = FrameBlock(start + 1, FRAMES[start:end], times[start:end])
        expected += calm.send(block)
        told += moved.send(block)
        moved = restored(moved)
    assert told + moved.close() == expected + calm.close()
    assert moved.session.clusters() == calm.session.clusters()


def test_names_and_merges_travel() -> None:
    stream = feed(MODEL)
    stream.session.rename(1, "walk")  # it is told with the first moment
    again = restored(stream)
    assert again.send(FrameBlock(1, FRAMES, TIMES)) == stream.send(FrameBlock(1, FRAMES, TIMES))
    stream.session.merge([3], 2)
    again = restored(stream)
    assert again.session.clusters() == stream.session.clusters()
    assert again.session.clusters()[0].name == "walk"


def test_options_travel() -> None:
    stream = feed(MODEL, SessionOptions(lag="fast", provisional=False, rate_hz=60.0))
    assert restored(stream).session.options == stream.session.options


def test_frames_that_nobody_has_looked_at_travel() -> None:
    """A block with a gap came, and its steps were not taken yet."""
    times = TIMES.copy()
    times[50:] += 2_000_000
    calm, moved = feed(MODEL), feed(MODEL)
    calm.session.receive_frames(FrameBlock(1, FRAMES[:90], times[:90]))
    moved.session.receive_frames(FrameBlock(1, FRAMES[:90], times[:90]))
    moved = restored(moved)
    rest = FrameBlock(91, FRAMES[90:], times[90:])
    assert moved.send(rest) + moved.close() == calm.send(rest) + calm.close()


def test_steps_that_are_being_computed_do_not_travel() -> None:
    stream = feed(MODEL)
    stream.session.receive_frames(FrameBlock(1, FRAMES[:4], TIMES[:4]))
    stream.session.take_steps()
    with pytest.raises(ValueError, match="expected answers to 4 steps before a snapshot"):
        save(stream.session, stream.encoder_states)


def test_the_shipped_model_goes_on_to_the_bit_through_real_motion(tiny_model: Path, data_dir: Path) -> None:
    model = ServedModel(read_bundle(tiny_model))
    engine = Inference(read_bundle(tiny_model), batch_sizes=(1,))
    recording = read_recording(data_dir / "sub86" / "03.mat")
    frames, times = recording.frames[:6000], recording.timestamps_us[:6000]
    calm, moved = Driver(Session(model), engine), Driver(Session(model), engine)
    expected, told, sizes = [], [], []
    for start in range(0, len(frames), 500):
        block = FrameBlock(start + 1, frames[start : start + 500], times[start : start + 500])
        expected += calm.send(block)
        told += moved.send(block)
        sizes.append(len(save(moved.session, moved.encoder_states)))
        moved = restored(moved)
    assert told == expected
    assert any(isinstance(event, SegmentEnded) for event in told)
    assert max(sizes) < 3_000_000
    assert calm.close() == moved.close()


def test_a_snapshot_costs_the_session_nothing() -> None:
    calm, watched = feed(MODEL), feed(MODEL)
    for start in range(0, 300, 30):
        block = FrameBlock(start + 1, FRAMES[start : start + 30], TIMES[start : start + 30])
        assert watched.send(block) == calm.send(block)
        save(watched.session, watched.encoder_states)
    assert calm.close() == watched.close()


def test_sessions_restored_from_one_state_share_nothing() -> None:
    first, second = feed(MODEL), feed(MODEL)
    begin, rest = FrameBlock(1, FRAMES[:250], TIMES[:250]), FrameBlock(251, FRAMES[250:], TIMES[250:])
    first.send(begin)
    second.session.restore(first.session.state())
    second.encoder_states = first.encoder_states.copy()
    assert first.send(rest) + first.close() == second.send(rest) + second.close()


# -- the layout


def eventful() -> Iterator[State]:
    """What a stream remembers at all times, through anomalies, a gap, names and merges."""
    frames = motion([(0, 240), *SCRIPT])
    frames[600:690, 1] += np.tile([80.0, -80.0, 0.0], 30).astype(np.float32)
    times = even_times(len(frames), RATE)
    times[900:] += 2_000_000
    stream, events = feed(MODEL), list[Event]()
    stream.session.rename(1, "before the first moment")
    yield stream.session.state()
    for start in range(0, len(frames) - 1, 7):
        block = FrameBlock(start + 1, frames[start : start + 7], times[start : start + 7])
        if start > 840 and start < 980:  # as after orders of the scheduler that none has computed yet
            ahead = Session(MODEL)
            ahead.restore(stream.session.state())
            ahead.receive_frames(block)
            yield ahead.state()
        events += stream.send(block)
        yield stream.session.state()
        if start % 70 == 0:  # young clusters among them
            for state in stream.session.clusters():
                stream.session.rename(state.id, "named")
            yield stream.session.state()
    stream.session.merge([2], 1)
    stream.close()
    yield stream.session.state()
    assert any(isinstance(event, Anomaly) for event in events)


def repeating() -> Iterator[State]:
    """What a stream remembers of the order of its actions, where no fault keeps it from learning."""
    stream, frames = feed(made_up_model()), motion([(0, 20), (1, 20)] * 8)
    stream.send(FrameBlock(1, frames, even_times(len(frames), RATE)))
    yield stream.session.state()


def losing_sight() -> Iterator[State]:
    """What a stream of a body remembers while joints come and go, with and without frames that wait; and at a gap."""
    recording = without(PLAY, {"head": [(1.0, 3.0), (5.0, 9.0)], "left_wrist": [(1.2, 8.0)]})
    times = recording.timestamps_us.copy()
    times[240:] += 2_000_000
    stream = feed(made_up_model(skeleton=BODY))
    for start in range(0, 300, 4):
        block = FrameBlock(start + 1, recording.frames[start : start + 4], times[start : start + 4])
        ahead = Session(stream.session.model)
        ahead.restore(stream.session.state())
        ahead.receive_frames(block)
        yield ahead.state()
        stream.send(block)
        yield stream.session.state()


def layout_of(value: Any, path: str) -> set[str]:
    """A line for each kind of value at each place; items of a list are of one place."""
    if isinstance(value, dict):
        return {line for name, item in value.items() for line in layout_of(item, f"{path}/{name}")}
    if isinstance(value, list):
        return {line for item in value for line in layout_of(item, f"{path}[]")}
    if isinstance(value, np.ndarray):
        return {f"{path}: {value.dtype} {value.ndim}d"}
    return {f"{path}: {type(value).__name__}"}


def present_layout() -> list[str]:
    stream = feed(MODEL)
    with np.load(io.BytesIO(save(stream.session, stream.encoder_states)[32:])) as archive:
        tree = json.loads(archive["tree"].tobytes())
    del tree["session"]
    top, states = layout_of(tree, ""), chain(eventful(), repeating(), losing_sight())
    return sorted(top | {line for state in states for line in layout_of(state, "/session")})


def test_another_layout_has_another_format_number() -> None:
    number, *known = LAYOUT.read_text().splitlines()
    assert (number, known) == (f"format {FORMAT}", present_layout()), (
        "expected the layout of snapshot_layout.txt: raise snapshot.FORMAT, then run this file as its docstring says"
    )


# -- what is refused


@pytest.fixture(scope="module")
def data() -> bytes:
    stream = feed(MODEL)
    stream.send(FrameBlock(1, FRAMES[:90], TIMES[:90]))
    return save(stream.session, stream.encoder_states)


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


def forged(data: bytes, **changes: Any) -> bytes:
    """A snapshot with a good digest whose tree says something else."""
    with np.load(io.BytesIO(data[32:])) as archive:
        arrays = {name: archive[name] for name in archive.files}
    tree = {**json.loads(arrays.pop("tree").tobytes()), **changes}
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, tree=np.frombuffer(json.dumps(tree).encode(), np.uint8), **arrays)
    return hashlib.sha256(buffer.getvalue()).digest() + buffer.getvalue()


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"session": {}}, "KeyError: 'intake'"),
        ({"session": []}, "TypeError"),
        ({"session": 5}, "TypeError"),
        ({"session": {"$array": "nothing"}}, "KeyError"),
        ({"session": {"$array": ["os", "system"]}}, "TypeError"),
        ({"options": {"lag": "never"}}, "ModelFolderError|ValueError"),
        ({"options": {"nonsense": 1}}, "TypeError"),
        ({"encoder": 7}, "expected an array of encoder states, got int"),
    ],
)
def test_a_tree_that_no_session_makes_is_refused(data: bytes, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(SnapshotError, match=expected):
        load(forged(data, **changes), MODEL)


@pytest.mark.parametrize("former", ["motionscribe 0.1.0 snapshot 1", 1, FORMAT + 1, None])
def test_another_format_is_refused_before_anything_is_read(data: bytes, former: object) -> None:
    old = forged(data, format=former, session=["object", "motionscribe_server.session.session", "Session", []])
    with pytest.raises(SnapshotError, match=rf"expected a snapshot of .*'format': {FORMAT}.*, got one of .*{former}"):
        load(old, MODEL)


def test_a_snapshot_of_another_model_is_refused(data: bytes, tiny_model: Path) -> None:
    with pytest.raises(SnapshotError, match="cmu-expmap/1"):
        load(data, ServedModel(read_bundle(tiny_model)))


@pytest.mark.parametrize("odd", [np.float64(1.5), (1, 2), {1}, Means(), np.array([Means()])])
def test_what_would_not_come_back_as_it_was_is_refused(odd: object, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = feed(MODEL)
    monkeypatch.setattr(Session, "state", lambda session: {"part": [odd]})
    with pytest.raises(SnapshotError, match="session/part/0: expected plain values and arrays of numbers, got"):
        save(stream.session, stream.encoder_states)


if __name__ == "__main__":
    lines = [f"format {FORMAT}", *present_layout()]
    if LAYOUT.exists():
        number, *known = LAYOUT.read_text().splitlines()
        if number == lines[0] and known != lines[1:]:
            raise SystemExit(f"the layout has changed: expected another snapshot.FORMAT than {FORMAT}")
    LAYOUT.write_text("\n".join(lines) + "\n")
