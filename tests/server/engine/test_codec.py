"""Messages as bytes: what is sent is what arrives, to the bit, and bytes that are no packet are refused."""

import dataclasses
import re
from itertools import pairwise
from typing import Any, get_args

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.engine_messages import (
    ANSWERED,
    ANY,
    EVENTS,
    SENT,
)

from motionscribe_models.errors import ContractError, LayoutError, MissingExtraError
from motionscribe_proto import events
from motionscribe_proto.frames import FrameBlock, WireError
from motionscribe_server import errors
from motionscribe_server.engine.class_table import CLASSES, ERRORS
from motionscribe_server.engine.codec import LARGEST, LENGTH, CodecError, Decoder, encode
from motionscribe_server.engine.messages import (
    Answer,
    FromServer,
    FromWorker,
    Message,
    Reply,
    StartFailed,
    TakeFrames,
    Turn,
)
from motionscribe_server.engine.shedding import Shedding
from motionscribe_server.errors import ServerError, UnforeseenError, is_foreseen, status_of
from motionscribe_server.session.cluster_map import ClusterMap
from motionscribe_server.session.clustering import ClusterState, UnknownClusterError
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.recall import Recalled


def travelled(message: Message) -> Any:
    """What arrives."""
    (arrived,) = Decoder(Message).feed(encode([message]))
    return arrived


def bits(value: Any) -> Any:
    """What two values are compared by: classes, and the bits of floats and arrays."""
    match value:
        case np.ndarray():
            return "array", value.dtype, value.shape, value.tobytes()
        case FrameBlock() | Recalled() | ClusterMap() | ClusterState():
            return type(value), *map(bits, vars(value).values())
        case Exception():
            return type(value), str(value)
        case float():
            return value.hex()
        case tuple():
            return type(value), *map(bits, value)
    return value


def test_every_message_and_event_is_tried_here() -> None:
    assert {*get_args(FromServer)} == SENT.keys()
    assert {*get_args(FromWorker)} == ANSWERED.keys()
    assert {*get_args(events.Event)} == EVENTS.keys()
    assert len(set(CLASSES.values())) == len(CLASSES)
    assert {*SENT, *ANSWERED, *EVENTS} < {*CLASSES.values()}


@pytest.mark.parametrize("kind", [*SENT, *ANSWERED], ids=lambda kind: kind.__name__)
def test_what_is_sent_arrives(kind: type) -> None:
    @given((SENT | ANSWERED)[kind])
    @settings(max_examples=40, deadline=None)
    def check(message: Any) -> None:
        assert bits(travelled(message)) == bits(message)

    check()


@given(st.lists(st.lists(ANY, max_size=4), max_size=5), st.data())
@settings(max_examples=50, deadline=None)
def test_messages_survive_any_cut_of_their_bytes(packets: list[list[Message]], data: st.DataObject) -> None:
    stream = b"".join(map(encode, packets))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    decoder, got = Decoder(Message), list[Message]()
    for start, end in pairwise([0, *cuts, len(stream)]):
        got += decoder.feed(stream[start:end])
    assert list(map(bits, got)) == [bits(message) for packet in packets for message in packet]


@given(st.lists(ANY, max_size=3), st.data())
@settings(max_examples=100, deadline=None)
def test_a_torn_packet_is_refused(messages: list[Message], data: st.DataObject) -> None:
    body = encode(messages)[LENGTH.size :]
    torn = body[: data.draw(st.integers(0, len(body) - 1))]
    with pytest.raises(CodecError, match="expected a packet"):
        Decoder(Message).feed(LENGTH.pack(len(torn)) + torn)


@given(st.lists(ANY, min_size=1, max_size=3), st.data())
@settings(max_examples=200, deadline=None)
def test_a_spoilt_packet_is_refused_or_brings_messages(messages: list[Message], data: st.DataObject) -> None:
    body = bytearray(encode(messages)[LENGTH.size :])
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
        body[at] = data.draw(st.integers(0, 255))
    try:
        got = Decoder(Message).feed(LENGTH.pack(len(body)) + body)
    except CodecError:
        return
    assert all(isinstance(message, Message) for message in got)


def packet(value: Any) -> bytes:
    """Whatever msgpack makes of it."""
    body: bytes = msgpack.packb(value)
    return LENGTH.pack(len(body)) + body


CLOSE = {"close": [1]}
ROWS = ["<f4", [1, 2], bytes(8)]
TIMES = {"array": ["<i8", [1], bytes(8)]}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (LENGTH.pack(LARGEST + 1), "at most 1073741824 bytes"),
        (packet(1), "expected messages"),
        (packet(CLOSE), "expected messages"),
        (packet([1]), "expected messages"),
        (packet([{"label": [1, 2, 3, 4, 5, 0.5, True]}]), "expected messages"),
        (packet([{"turn": [1, 0.5, {"shedding": [0]}, []]}]), "expected messages"),
        (packet([{}]), "a map of one entry, got 0"),
        (packet([CLOSE | {"forget": [1]}]), "a map of one entry, got 2"),
        (packet([{"os.system": ["true"]}]), "the fields of one of"),
        (packet([{"close": 1}]), "the fields of one of"),
        (packet([{"close": []}]), "1 fields of close, got 0"),
        (packet([{"close": [1, 2]}]), "1 fields of close, got 2"),
        (packet([{"close": ["1"]}]), "the fields of close"),
        (packet([{"frames": [1, CLOSE]}]), "the fields of frames"),
        (packet([{"frames": [1, {"block": [0, {"array": ROWS}, TIMES, None]}]}]), "WireError: expected first_seq"),
        (packet([{"frames": [1, {"block": [1, {"array": ["|O", [1], bytes(8)]}, TIMES, None]}]}]), "|O"),
        (packet([{"frames": [1, {"block": [1, {"array": ["<f4", [2, 2], bytes(8)]}, TIMES, None]}]}]), "reshape"),
        (packet([{"ask": [1, {"edit": [1, {"merge": [[1, "2"], 3]}]}]}]), "the fields of merge"),
        (packet([{"ask": [1, {"error": ["SystemExit", ""]}]}]), "an exception that may travel"),
        (packet([{"ask": [1, {"error": ["LayoutError", 1]}]}]), "an exception that may travel"),
        (packet([{"start": [{"path": [1]}, None, [], "auto", [], 1, "", False]}]), "TypeError"),
        (packet([{"start": [{"path": ["m"]}, None, [["a"]], "auto", [], 1, "", False]}]), "the fields of start"),
        (packet([{"start": [{"path": ["m"]}, None, [], "fp64", [], 1, "", False]}]), "the fields of start"),
        (LENGTH.pack(2000) + b"\x91" * 2000, "expected a packet"),
        (LENGTH.pack(5) + b"\xdd\xff\xff\xff\xff", "expected a packet"),
        (LENGTH.pack(0), "expected a packet"),
    ],
)
def test_bytes_that_are_no_order_are_refused(data: bytes, expected: str) -> None:
    with pytest.raises(CodecError, match=re.escape(expected)):
        Decoder(FromServer).feed(data)


def test_arrays_arrive_as_what_a_session_expects() -> None:
    frames = np.arange(12, dtype=np.float32).reshape(4, 3)
    sent = FrameBlock(1, frames[:, ::-1], np.arange(4))  # not contiguous
    block = travelled(TakeFrames(1, CheckedBlock(sent))).block
    assert (block.values.dtype, block.timestamps_us.dtype, block.confidences) == (np.float32, np.int64, None)
    np.testing.assert_array_equal(block.values, sent.values)
    assert not block.values.flags.writeable


@pytest.mark.parametrize("scalar", [np.float64(0.1), np.float32(0.1), np.float64("-inf")])
def test_numpy_floats_arrive_as_floats_of_the_same_value(scalar: np.floating[Any]) -> None:
    label = events.Label(1, 2, 3, 4, 5, float(scalar), False)
    odd = events.Label(np.int64(1), 2, 3, 4, np.int32(5), scalar, np.False_)  # type: ignore[arg-type]  # what is tested
    (arrived,) = travelled(Turn(1, 0.0, Shedding.NOTHING, [Answer(1, events=[odd])])).answers[0].events
    assert arrived == label
    assert [type(value) for value in dataclasses.astuple(arrived)] == [int, int, int, int, int, float, bool]


@pytest.mark.parametrize("value", [2**64, object(), {1, 2}, np.zeros(2, np.uint8), np.array([None])])
def test_what_does_not_travel_is_said_before_it_is_sent(value: Any) -> None:
    with pytest.raises(CodecError, match="cannot send"):
        encode([Reply(1, value)])


@pytest.mark.parametrize("name", ERRORS)
def test_known_errors_arrive_as_what_they_are(name: str) -> None:
    error = ERRORS[name].__new__(ERRORS[name], "expected ä, got \udcff")
    arrived = travelled(Reply(1, error)).value
    assert type(arrived) is type(error)
    assert str(arrived) == str(error) == "expected ä, got \udcff"


def test_the_known_errors_are_all_that_clients_may_see() -> None:
    assert {LayoutError, UnknownClusterError, WireError, errors.SnapshotError} < {*ERRORS.values()}
    assert all(issubclass(kind, ContractError | ServerError | WireError | UnforeseenError) for kind in ERRORS.values())
    missing = travelled(StartFailed(MissingExtraError("server", "serving"))).error
    assert str(missing) == 'serving needs an extra: pip install "motionscribe[server]"'


class PrivateError(LayoutError):
    """A class that the other side does not know."""


def test_an_unknown_error_arrives_as_the_nearest_one_that_is_known() -> None:
    assert bits(travelled(Reply(1, PrivateError("too wide"))).value) == (LayoutError, "too wide")


@pytest.mark.parametrize("error", [KeyError("m/1"), RuntimeError("CUDA is out of memory"), OSError(2, "gone", "/srv")])
def test_an_unforeseen_error_arrives_with_its_text_and_clients_are_not_told_it(error: Exception) -> None:
    arrived = travelled(Reply(1, error)).value
    assert bits(arrived) == (UnforeseenError, f"{type(error).__name__}: {error}")
    assert (status_of(arrived), is_foreseen(arrived)) == ("INTERNAL", False)
