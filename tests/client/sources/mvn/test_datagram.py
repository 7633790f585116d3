"""Bytes of MVN's network streamer, by its specification."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.support.mvn_packets import eulers, header, quaternions, standing

from motionscribe.sources.mvn.datagram import KINDS, SEGMENTS, NotMvn, decode, encode, metres_of
from motionscribe_models.body.mapping import find_mapping


def test_a_datagram_of_quaternions() -> None:
    part = decode(quaternions(standing(1.5), sample=7, time_ms=40_000, character=3, counter=0x82))
    assert part
    assert (part.kind, part.sample, part.index, part.is_last, part.time_ms, part.character) == (
        *("02", 7, 2, True, 40_000, 3),
    )
    np.testing.assert_allclose(part.places, standing(1.5), rtol=1e-6)


def test_a_datagram_of_euler_angles_has_y_up() -> None:
    part = decode(eulers(standing()))
    assert part
    np.testing.assert_allclose(part.places, standing(), rtol=1e-6)
    assert (KINDS["01"].skeleton.up_axis, KINDS["02"].skeleton.up_axis) == ("y", "z")


def test_the_body_is_found_in_the_segments() -> None:
    mapping = find_mapping(KINDS["02"].skeleton)
    assert mapping.missing == ()
    assert (SEGMENTS[8], SEGMENTS[14], SEGMENTS[22]) == ("RightUpperArm", "LeftHand", "LeftToe")
    assert {"left_hip: LeftUpperLeg", "right_ankle: RightFoot"} <= set(mapping.describe())


def test_props_and_fingers_are_passed_over() -> None:
    part = decode(quaternions([*standing(), *[(9.0, 9.0, 9.0)] * 41]))
    assert part
    np.testing.assert_allclose(part.places, standing(), rtol=1e-6)
    none = decode(quaternions([(1.0, 1.0, 1.0)], first_id=0))
    assert none
    assert np.isnan(none.places).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1e30])
def test_a_segment_without_a_place_is_lost(bad: float) -> None:
    part = decode(quaternions([(0.0, bad, 1.0), (0.0, 0.0, 1.0)]))
    assert part
    assert np.isnan(part.places[0]).all()
    assert part.places[1].tolist() == [0, 0, 1]


@pytest.mark.parametrize("kind", ["03", "05", "12", "13", "20", "25", "99"])
def test_other_types_are_no_poses(kind: str) -> None:
    assert decode(header(kind.encode(), 0, 0x80, 200, 0, 0, 5) + b"name:") is None


WHOLE = quaternions(standing())
DAMAGED = {
    "nothing": b"",
    "half a header": WHOLE[:23],
    "no items": WHOLE[:24],
    "cut": WHOLE[:-1],
    "others": b"QTMX" + WHOLE[4:],
    "no digits": b"MXTPxy" + WHOLE[6:],
}


@pytest.mark.parametrize("packet", DAMAGED.values(), ids=DAMAGED)
def test_what_is_damaged_is_said(packet: bytes) -> None:
    with pytest.raises(NotMvn, match="expected"):
        decode(packet)


@given(st.binary(max_size=300), st.sampled_from([b"", b"MXTP", b"MXTP01", b"MXTP02"]))
def test_any_bytes_are_read_or_refused(noise: bytes, beginning: bytes) -> None:
    try:
        part = decode(beginning + noise)
    except NotMvn:
        return
    if part:
        metres_of(part.places)
        assert not np.isinf(part.places).any()


@given(
    arrays(np.float32, (23, 3), elements=st.floats(-1000, 1000, width=32) | st.just(np.nan)),
    st.integers(0, 2**40),
    st.integers(0, 255),
)
def test_what_is_written_is_read(places: np.ndarray, number: int, character: int) -> None:
    part = decode(encode(number, number, character, places))
    assert part
    assert (part.sample, part.time_ms, part.character) == (number % 2**32, number % 2**32, character)
    seen = ~np.isnan(places).any(axis=1)
    np.testing.assert_array_equal(part.places[seen], places[seen])
    assert np.isnan(part.places[~seen]).all()


def test_the_encoder_writes_the_specification() -> None:
    places = np.array(standing(0.5))
    by_hand = bytearray(quaternions(standing(0.5), sample=9, time_ms=150, character=1))
    for item in range(23):  # it turns nothing
        by_hand[24 + 32 * item + 16 : 24 + 32 * item + 32] = bytes.fromhex("3f800000") + bytes(12)
    assert encode(9, 150, 1, places) == bytes(by_hand)


def test_the_size_of_a_body_tells_the_unit() -> None:
    assert metres_of(np.array(standing())) == 1.0
    assert metres_of(np.array(standing(scale=100))) == 0.01
    assert metres_of(np.array(standing(50.0))) == 1.0, "far from the origin"
    few = np.full((23, 3), np.nan)
    few[:3] = standing(scale=100)[:3]
    assert metres_of(few) is None
