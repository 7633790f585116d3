"""How packets become frames: bundles, parts of frames, single messages, a sender that begins anew."""

import math
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.client.sources.vmc.osc_bytes import LOCAL, PLACES, Numbers, bone, bones, bundle, ok, root, time

from motionscribe.sources.moments import Moment
from motionscribe.sources.vmc.frames import Frames
from motionscribe.sources.vmc.packets import Packet, PacketReader

FIRST_US, STEP_US = 1_000_000_000, 16_000
STEP_S = 1 / 64
"""A float of 32 bits has it exactly."""
HALVES = bones()[:7], bones()[7:]


def moments_of(packets: Iterable[bytes | None], step_us: int = STEP_US, first_us: int = FIRST_US) -> list[Moment]:
    """What becomes of packets that come one after the other; None is a silence."""
    frames, reader, found = Frames(), PacketReader(), []
    for number, packet in enumerate(packets):
        found += frames.end() if packet is None else frames.take(reader.read(packet), first_us + number * step_us)
    return found


def at(n: int) -> Numbers:
    """Where the hips are in frame n."""
    return n / 8, 1, 0


def moved(n: int) -> list[bytes]:
    return bones({**LOCAL, "Hips": at(n)})


def check(moments: list[Moment], numbers: Iterable[int]) -> None:
    """Whole frames, of which each has its own bones throughout."""
    numbers = list(numbers)
    assert len(moments) == len(numbers)
    for moment, n in zip(moments, numbers, strict=True):
        (body,) = moment.bodies
        assert body.person == "1"
        places = dict(zip(body.skeleton.joints, body.values.reshape(-1, 3), strict=True))
        for joint, place in PLACES.items():
            np.testing.assert_allclose(places[joint], np.add(place, (n / 8, 0, 0)), atol=1e-5)


def test_a_bundle_is_a_frame() -> None:
    moments = moments_of(bundle(ok(), time(n * STEP_S), *moved(n)) for n in range(10))
    check(moments, range(10))
    assert [moment.time_us for moment in moments] == [round(n * STEP_S * 1e6) for n in range(10)]
    assert [moment.arrived_us for moment in moments] == [FIRST_US + n * STEP_US for n in range(10)]
    assert len({id(moment.bodies[0].skeleton) for moment in moments}) == 1


def split(n: int) -> list[bytes]:
    return [bundle(ok(), time(n * STEP_S)), bundle(*moved(n)[:7]), bundle(*moved(n)[7:])]


def split_with_times(n: int) -> list[bytes]:
    return [bundle(time(n * STEP_S), *moved(n)[:7]), bundle(time(n * STEP_S), *moved(n)[7:])]


def single(n: int) -> list[bytes]:
    return [ok(), time(n * STEP_S), root((0, 0, 0)), *moved(n)]


def without_times(n: int) -> list[bytes]:
    return moved(n)


@pytest.mark.parametrize("send", [split, split_with_times, single, without_times])
@pytest.mark.parametrize("missed", [0, 1, 2])
def test_a_frame_in_parts_is_put_together(send: Callable[[int], list[bytes]], missed: int) -> None:
    """Also by whoever begins to listen in the middle of one."""
    packets = [packet for n in range(10) for packet in send(n)]
    step_us = STEP_S * 1e6 / len(send(0))
    moments = moments_of(packets[missed:], step_us=round(step_us))
    part = not np.isfinite(moments[0].bodies[0].values).all()  # the end of a frame whose beginning nobody heard
    check(moments[part:], range(10 - len(moments) + part, 10))
    assert len(moments) - part >= 9
    assert missed or len(moments) == 10
    steps = np.diff([moment.time_us for moment in moments])
    np.testing.assert_allclose(steps[0], STEP_S * 1e6, atol=3 * step_us)
    np.testing.assert_allclose(steps[1:], STEP_S * 1e6, atol=10)


def test_times_after_the_bones_lag_by_one_frame() -> None:
    """Nothing tells whether a time begins or ends a frame; none is mixed."""
    packets = [packet for n in range(10) for packet in (bundle(*moved(n)), time(n * STEP_S))]
    moments = moments_of(packets, step_us=100)
    check(moments[:-1], range(9))
    assert np.all(np.diff([moment.time_us for moment in moments])[2:] == STEP_S * 1e6)


def test_frames_between_two_times_go_by_our_clock() -> None:
    packets = [bundle(*([time(n * STEP_S)] if n % 5 == 0 else []), *moved(n)) for n in range(20)]
    moments = moments_of(packets, step_us=int(STEP_S * 1e6))
    check(moments, range(20))
    assert [moment.time_us for moment in moments] == [int(n * STEP_S * 1e6) for n in range(20)]


def test_order_of_bones_does_not_matter_and_what_comes_late_is_left_out_and_counted() -> None:
    packets = [bundle(*reversed([time(n * STEP_S), *moved(n)])) for n in range(10)]
    frames, reader, found = Frames(), PacketReader(), []
    for n, packet in enumerate([*packets[:6], packets[4], *packets[6:]]):
        found += frames.take(reader.read(packet), FIRST_US + n * STEP_US)
    check(found, range(10))
    assert frames.left_out == 1


def test_what_comes_twice_has_its_time_again() -> None:
    packets = [bundle(time(n * STEP_S), *moved(n)) for n in range(6)]
    check(moments_of([*packets, packets[5]]), [*range(6), 5])


def test_a_time_that_stands_still_is_handed_on() -> None:
    moments = moments_of(bundle(time(0.0), *moved(n)) for n in range(20))
    check(moments[:19], range(19))
    assert {moment.time_us for moment in moments} == {0}


def test_a_clock_that_is_set_back_by_a_little_loses_no_frame() -> None:
    times = [n * STEP_S - (0.7 if n >= 60 else 0) for n in range(120)]
    moments = moments_of(bundle(time(at), *moved(n)) for n, at in enumerate(times))
    check(moments, range(120))
    assert [moment.time_us for moment in moments] == [round(at * 1e6) for at in times]


def test_a_bone_that_stays_away_is_not_seen() -> None:
    less = {joint: place for joint, place in LOCAL.items() if joint != "LeftLowerLeg"}
    packets = [bundle(time(n * STEP_S), *(bones(less) if n == 6 else moved(n))) for n in range(10)]
    moments = moments_of(packets)
    assert len(moments) == 10
    joints = moments[0].bodies[0].skeleton.joints
    lost = {
        joint
        for joint, place in zip(joints, moments[6].bodies[0].values.reshape(-1, 3), strict=True)
        if np.isnan(place).any()
    }
    assert lost == {"LeftLowerLeg", "LeftFoot"}
    check([moment for n, moment in enumerate(moments) if n != 6], [n for n in range(10) if n != 6])


def test_a_silence_ends_a_frame() -> None:
    packets = [packet for n in range(5) for packet in split(n)]
    moments = moments_of([*packets[:-1], None, None])
    assert len(moments) == 5
    assert np.isnan(moments[-1].bodies[0].values).any()


def test_a_sender_that_begins_anew_may_have_another_skeleton() -> None:
    other = {"Hips": (0, 1, 0), "Chest": (0, 0.3, 0), "Head": (0, 0.3, 0)}
    packets = [bundle(time(100 + n * STEP_S), *moved(n)) for n in range(10)]
    again = [bundle(time(n * STEP_S), *bones(other)) for n in range(10)]
    moments = moments_of([*packets, *again])
    check(moments[:10], range(10))
    assert [moment.bodies[0].skeleton.joints for moment in moments[10:]] == [("Hips", "Chest", "Head")] * 10
    assert [moment.time_us for moment in moments[10:]] == [round(n * STEP_S * 1e6) for n in range(10)]


def test_who_was_away_may_have_another_skeleton_without_times_as_well() -> None:
    frames, reader = Frames(), PacketReader()
    found = []
    for n in range(10):
        found += frames.take(reader.read(bundle(*moved(n))), FIRST_US + n * STEP_US)
    for n in range(10):
        found += frames.take(reader.read(bundle(*bones({"Hips": (0, 1, 0)}))), FIRST_US + 5_000_000 + n * STEP_US)
    check(found[:10], range(10))
    assert [moment.bodies[0].skeleton.joints for moment in found[10:]] == [("Hips",)] * 10


def test_a_bone_that_is_new_is_another_skeleton() -> None:
    more = [bundle(time(n * STEP_S), *moved(n), *[bone("LeftHand", (-0.3, 0, 0))] * (n >= 5)) for n in range(20)]
    moments = moments_of(more)
    assert [len(moment.bodies[0].skeleton.joints) for moment in moments] == [14] * 5 + [15] * 15


def test_the_root_is_kept_where_it_is_not_sent_again() -> None:
    packets = [bundle(time(n * STEP_S), *([root((n, 0, 0))] if n in (0, 5) else []), *bones()) for n in range(10)]
    hips = [moment.bodies[0].values[0] for moment in moments_of(packets)]
    assert hips == [0] * 5 + [5] * 5


NUMBERS = st.tuples(*[st.floats(-10, 10, width=32) | st.sampled_from([0.0, math.nan, math.inf, 3e38])] * 7)
PACKETS = st.builds(
    Packet,
    st.none() | st.integers(-(10**7), 10**7) | st.integers(-(10**18), 10**18),
    st.none() | NUMBERS,
    st.dictionaries(st.sampled_from(["Hips", "Chest", "Head", "LeftFoot"]), NUMBERS),
)


@settings(max_examples=50)
@given(st.lists(st.tuples(PACKETS, st.integers(0, 3_000_000)), max_size=20))
def test_whatever_is_sent_makes_places_or_none(sent: list[tuple[Packet, int]]) -> None:
    frames, now_us, found = Frames(), FIRST_US, []
    for packet, later_us in sent:
        now_us += later_us
        found += frames.take(packet, now_us)
    for moment in found:
        (body,) = moment.bodies
        assert body.values.shape == (body.skeleton.width,)
        assert not np.isinf(body.values).any()
