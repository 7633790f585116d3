"""Samples of MVN that are split, mixed up, lost or begun anew."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.mvn_packets import eulers, quaternions, standing

from motionscribe.sources.moments import Moment
from motionscribe.sources.mvn.characters import Characters
from motionscribe.sources.mvn.datagram import NotMvn

PIECES = ((0, 10), (10, 20), (20, 23))


def split(sample: int, x: float = 0.0, character: int = 0) -> list[bytes]:
    """A sample in three datagrams, with the counters 0, 1 and 0x82."""
    places = standing(x)
    return [
        quaternions(
            places[begin:end],
            sample=sample,
            time_ms=10 * sample,
            character=character,
            counter=index | (0x80 if end == 23 else 0),
            first_id=begin + 1,
        )
        for index, (begin, end) in enumerate(PIECES)
    ]


def whole(sample: int, x: float = 0.0, time_ms: int | None = None) -> bytes:
    return quaternions(standing(x), sample=sample, time_ms=10 * sample if time_ms is None else time_ms)


def moments_of(packets: list[bytes]) -> list[Moment]:
    """Datagrams that come a millisecond apart, and the silence after them."""
    characters = Characters()
    moments = [moment for n, packet in enumerate(packets) for moment in characters.take(packet, 1000 * n)]
    return moments + characters.end()


def times_of(moments: list[Moment]) -> list[int]:
    return [moment.time_us for moment in moments]


def test_a_whole_sample_is_a_moment_at_once() -> None:
    characters = Characters()
    (moment,) = characters.take(whole(5), 123)
    assert (moment.time_us, moment.arrived_us) == (50_000, 123)
    (body,) = moment.bodies
    assert body.person == "1"
    np.testing.assert_allclose(body.values.reshape(23, 3), standing(), rtol=1e-6)
    assert characters.end() == []


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0), (0, 0, 1, 2)])
def test_parts_are_put_together_in_any_order(order: tuple[int, ...]) -> None:
    characters = Characters()
    packets = split(3)
    for index in order[:-1]:
        assert characters.take(packets[index], 0) == []
    (moment,) = characters.take(packets[order[-1]], 9)
    np.testing.assert_allclose(moment.bodies[0].values.reshape(23, 3), standing(), rtol=1e-6)
    assert moment.arrived_us == 9


def test_a_lost_part_leaves_nan_when_the_next_sample_begins() -> None:
    packets = [whole(0), *split(1)[:1], *split(1)[2:], *split(2)[:2]]
    first, second, third = moments_of(packets)
    assert np.isfinite(first.bodies[0].values).all()
    for moment, (begin, end) in ((second, PIECES[1]), (third, PIECES[2])):
        lost = np.isnan(moment.bodies[0].values.reshape(23, 3)).all(axis=1)
        assert np.flatnonzero(lost).tolist() == list(range(begin, end))
    assert times_of([first, second, third]) == [0, 10_000, 20_000]


def test_late_datagrams_are_left_out_and_counted_and_a_repeated_sample_has_its_time_again() -> None:
    packets = [whole(0), whole(1), whole(1), whole(0), *split(2)[:2], *split(2)[:2], *split(2)[2:], whole(1), whole(3)]
    characters = Characters()
    moments = [moment for packet in packets for moment in characters.take(packet, 0)]
    assert times_of(moments) == [0, 10_000, 10_000, 20_000, 30_000]
    assert characters.left_out == 2


@pytest.mark.parametrize(
    "clock",
    [
        lambda n: (0, 0),
        lambda n: (0, 10 * n - (190 if n >= 50 else 0)),
        lambda n: (n - (10 if n >= 50 else 0), 10 * n - (100 if n >= 50 else 0)),
    ],
    ids=["both stand still", "a counter that stands still, a clock set back", "both set back"],
)
def test_whatever_the_clock_does_no_sample_is_lost(clock: Callable[[int], tuple[int, int]]) -> None:
    clocks = [clock(n) for n in range(100)]
    moments = moments_of([whole(sample, time_ms=time_ms) for sample, time_ms in clocks])
    assert times_of(moments) == [1000 * time_ms for _, time_ms in clocks]


def test_two_characters_are_two_people() -> None:
    one, other = split(4, x=1.0), split(4, x=2.0, character=6)
    moments = moments_of([one[0], other[0], other[1], one[1], one[2], other[2]])
    assert [(moment.bodies[0].person, round(float(moment.bodies[0].values[0]))) for moment in moments] == [
        *(("1", 1), ("7", 2)),
    ]


def test_a_sender_that_starts_again_is_heard_from_its_beginning() -> None:
    packets = [*(whole(n) for n in range(100, 103)), *split(103)[:1], *(whole(n) for n in range(3))]
    assert times_of(moments_of(packets)) == [1_000_000, 1_010_000, 1_020_000, 1_030_000, 0, 10_000, 20_000]


def test_a_measurement_that_begins_sets_the_clock_back_and_counts_on() -> None:
    packets = [whole(7, time_ms=9000), whole(8, time_ms=0), whole(9, time_ms=10)]
    assert times_of(moments_of(packets)) == [9_000_000, 0, 10_000]


def test_time_and_counter_go_on_beyond_32_bits() -> None:
    end = 2**32
    packets = [whole((end - 1 + n) % end, time_ms=(end - 5 + 10 * n) % end) for n in range(3)]
    assert np.diff(times_of(moments_of(packets))).tolist() == [10_000, 10_000]


def test_two_samples_in_one_millisecond_are_both_kept() -> None:
    assert times_of(moments_of([whole(0, time_ms=5), whole(1, time_ms=5), whole(2, time_ms=6)])) == [5000, 5001, 6000]


def test_one_type_of_poses_is_enough_until_it_stops() -> None:
    characters = Characters()
    assert len(characters.take(whole(0), 0)) == 1
    assert characters.take(eulers(standing(), sample=0), 10) == []
    (moment,) = characters.take(eulers(standing(scale=100.0), sample=300, time_ms=3000), 3_000_000)
    assert moment.bodies[0].skeleton.up_axis == "y"
    np.testing.assert_allclose(moment.bodies[0].values.reshape(23, 3), standing(), rtol=1e-6)


def test_centimetres_become_metres_also_where_most_is_lost() -> None:
    places = standing(3.0, scale=100.0)
    first, second = moments_of([quaternions(places), quaternions(places[:2], sample=1, time_ms=10)])
    np.testing.assert_allclose(first.bodies[0].values.reshape(23, 3), standing(3.0), rtol=1e-6)
    np.testing.assert_allclose(second.bodies[0].values.reshape(23, 3)[:2], standing(3.0)[:2], rtol=1e-6)


def test_nobody_is_shown_before_the_unit_is_known() -> None:
    assert times_of(moments_of([split(0)[0], split(1)[0], whole(2)])) == [20_000]


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 2), st.integers(0, 2)).map(
            lambda which: split(which[0], x=which[2], character=which[2])[which[1]]
        )
        | st.binary(max_size=120).map(lambda noise: b"MXTP02" + noise),
        max_size=60,
    )
)
def test_no_order_of_datagrams_mixes_people_up(packets: list[bytes]) -> None:
    characters = Characters()
    moments = []
    for n, packet in enumerate(packets):
        try:
            moments += characters.take(packet, 1000 * n)
        except NotMvn:
            continue
    for moment in moments + characters.end():
        (body,) = moment.bodies
        if int(body.person) <= 3:
            x = body.values.reshape(23, 3)[:, 0]
            assert np.isnan(x).any() or set(x.tolist()) == {float(body.person) - 1}
