"""The door of a session: what comes in is covered by moments exactly, whatever blocks it comes in."""

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.intake_blocks import MODEL, PERIOD_US, block, even, pieces, push, span_of, spans_of
from tests.support.made_up_session import MOMENT_US, RATE, SKELETON, STRIDE, D, T, made_up_model

from motionscribe.demo.performer import perform
from motionscribe_models.errors import LayoutError
from motionscribe_models.recordings import CMU_EXPMAP, even_times
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.arrivals import Arrival, Break
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.intake import Intake
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.span import Span


def summary(arrived: Sequence[Arrival | Break]) -> list[object]:
    """What arrived, comparable bit by bit."""
    return [
        (a.step.features.tobytes(), a.step.index, a.step.slot_restart, a.step.decode_slot, span_of(a))
        if isinstance(a, Arrival)
        else a
        for a in arrived
    ]


@st.composite
def streams(draw: st.DrawFn) -> list[FrameBlock]:
    """Whole pieces between seq holes: times that jitter, stall and jump, at any rate."""
    steps = st.one_of(
        st.integers(1, 3 * PERIOD_US),
        st.just(PERIOD_US),
        st.integers(240_000, 260_000),
        st.integers(1, 40_000_000),
    )
    seq, time = draw(st.integers(1, 10**6)), draw(st.sampled_from([0, -(10**9), 1_700_000_000_000_000]))
    rng, blocks = np.random.default_rng(draw(st.integers(0, 99))), []
    for count in draw(st.lists(st.integers(1, 40), min_size=1, max_size=3)):
        times = time + np.cumsum([draw(steps) for _ in range(count)])
        blocks.append(block(seq, times, rng.normal(size=(count, D)).astype(np.float32)))
        seq, time = seq + count + draw(st.integers(0, 20)), int(times[-1])
    return blocks


@settings(deadline=None)
@given(streams(), st.lists(st.integers(0, 40)), st.sampled_from([0.0, 10.0, 25.0, 100.0]))
def test_cutting_a_stream_into_blocks_changes_no_bit(blocks: list[FrameBlock], cuts: list[int], rate: float) -> None:
    whole, cut, single = (Intake(MODEL, rate) for _ in range(3))
    expected = [a for b in blocks for a in push(whole, b)]
    got = [a for b in blocks for piece in pieces(b, cuts) for a in push(cut, piece)]
    ones = [a for b in blocks for piece in pieces(b, range(40)) for a in push(single, piece)]
    assert summary(got) == summary(ones) == summary(expected)
    assert cut.tail() == single.tail() == whole.tail()
    assert cut.next_seq == single.next_seq == whole.next_seq
    assert cut.last_us == single.last_us == whole.last_us


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 400), max_size=12), st.sampled_from([120.0, 100.0, 50.0]), st.integers(0, 3))
def test_cutting_a_performance_into_blocks_changes_no_bit(cuts: list[int], rate: float, jitter: int) -> None:
    recording = perform([("walk", 1.5), ("jump", 1.5)], seed=4, rate_hz=rate).recording
    times = recording.timestamps_us + np.random.default_rng(0).integers(0, 1 + 1000 * jitter, len(recording.frames))
    model = made_up_model(skeleton=CMU_EXPMAP)
    whole = FrameBlock(1, recording.frames, times)
    cut = Intake(model, rate)
    got = [a for piece in pieces(whole, cuts) for a in push(cut, piece)]
    assert summary(got) == summary(push(Intake(model, rate), whole))
    assert len(got) >= 89


@settings(deadline=None)
@given(streams(), st.sampled_from([0.0, 10.0, 25.0, 100.0]), st.booleans())
def test_a_restored_intake_goes_on_to_the_bit(blocks: list[FrameBlock], rate: float, taken: bool) -> None:
    """Whether or not what was pushed before has been taken."""
    intake, got, expected = Intake(MODEL, rate), list[Arrival | Break](), list[Arrival | Break]()
    calm = Intake(MODEL, rate)
    for one in blocks:
        calm.push(CheckedBlock(one))
        intake.push(CheckedBlock(one))
        again = Intake(MODEL, rate)
        again.restore(intake.state())
        intake = again
        if taken:
            got += Intake.take_arrivals_many([intake])[0]
            expected += Intake.take_arrivals_many([calm])[0]
    got += Intake.take_arrivals_many([intake])[0]
    expected += Intake.take_arrivals_many([calm])[0]
    assert summary(got) == summary(expected)
    assert intake.tail() == calm.tail()


@settings(deadline=None)
@given(streams(), st.sampled_from([0.0, 10.0, 100.0]))
def test_moments_gaps_and_tails_tile_the_frames(blocks: list[FrameBlock], rate: float) -> None:
    intake = Intake(MODEL, rate)
    arrived = [a for b in blocks for a in push(intake, b)]
    spans = spans_of(arrived, intake.tail())
    assert spans[0].start_seq == blocks[0].first_seq
    assert spans[0].start_us == blocks[0].timestamps_us[0]
    assert spans[-1].end_seq == blocks[-1].next_seq == intake.next_seq
    assert spans[-1].end_us == blocks[-1].timestamps_us[-1] + round(1e6 / (rate or RATE))
    for before, after in itertools.pairwise(spans):
        assert before.end_seq == after.start_seq
        assert before.start_us < after.start_us
    moments = [span for a in arrived if isinstance(a, Arrival) and (span := span_of(a))]
    assert all(m.start_seq < m.end_seq and m.start_us < m.end_us for m in moments)
    for a in arrived:
        if isinstance(a, Arrival):
            assert a.step.decode_slot >= 0 or span_of(a) is None


def test_frames_on_the_grid_make_moments_of_one_stride() -> None:
    arrived = push(Intake(MODEL, 0.0), block(1, even_times(31, RATE)))
    moments = [span for a in arrived if isinstance(a, Arrival) and (span := span_of(a))]
    assert len(moments) == 31 // STRIDE
    for k, moment in enumerate(moments):
        assert (moment.start_seq, moment.end_seq) == (1 + STRIDE * k, 1 + STRIDE * (k + 1))
        assert moment.start_us == k * MOMENT_US
        assert moment.end_us == pytest.approx((k + 1) * MOMENT_US, abs=1)
    assert [a.step.index for a in arrived if isinstance(a, Arrival)] == list(range(31))


def test_a_camera_of_four_times_the_rate_fills_each_moment_with_four_times_the_frames() -> None:
    intake = Intake(MODEL, 4 * RATE)
    arrived = push(intake, block(1, even_times(241, 4 * RATE)))
    moments = [span for a in arrived if isinstance(a, Arrival) and (span := span_of(a))]
    # the first grid point is the first frame, so the first moment ends with the ninth
    assert [m.end_seq for m in moments] == [10 + 12 * k for k in range(20)]
    assert len([a for a in arrived if isinstance(a, Arrival)]) == 61
    assert intake.tail() == Span(238, 242, int(even_times(241, 120.0)[237]), int(even_times(241, 120.0)[240]) + 8333)


def test_the_features_of_an_arrival_are_the_interpolated_frame() -> None:
    ramp = np.arange(20, dtype=np.float32)[:, None] * np.array([1, -1], np.float32)
    arrived = push(Intake(MODEL, 20.0), block(1, even_times(20, 20.0), ramp))
    for k, a in enumerate(arrived):
        assert isinstance(a, Arrival)
        np.testing.assert_allclose(a.step.features, [k / 1.5, -k / 1.5], atol=1e-5)


# -- what is taken, and rates that are refused


@pytest.mark.parametrize("origin", [-(2**62) + 1, 2**62 - 1 - 10**8])
def test_times_near_the_ends_of_int64_are_as_good_as_any(origin: int) -> None:
    """As floats they would be 512 us off."""
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(1, 60_000, 60))
    values = rng.normal(size=(60, D)).astype(np.float32)
    usual, far = Intake(MODEL, 0.0), Intake(MODEL, 0.0)
    expected = push(usual, block(1, times, values))
    got = [a for piece in pieces(block(1, times + origin, values), range(60)) for a in push(far, piece)]
    assert [a.step.features.tobytes() for a in got if isinstance(a, Arrival)] == [
        a.step.features.tobytes() for a in expected if isinstance(a, Arrival)
    ]
    for a, b in zip(spans_of(got, far.tail()), spans_of(expected, usual.tail()), strict=True):
        assert (a.start_us, a.end_us) == (b.start_us + origin, b.end_us + origin)


def test_seqs_may_begin_anywhere() -> None:
    intake = Intake(MODEL, 0.0)
    push(intake, even(2**61, 4))
    assert intake.next_seq == 2**61 + 4


@pytest.mark.parametrize("rate", [9.9, 0.001, -30.0, float("nan")])
def test_a_rate_at_which_moments_would_be_empty_is_refused(rate: float) -> None:
    with pytest.raises(LayoutError, match=f"expected a rate of at least 10 Hz, got {rate:g}"):
        Intake(MODEL, rate)


@pytest.mark.parametrize("rate", [10.0, 0.0, 1000.0])
def test_other_rates_are_welcome(rate: float) -> None:
    assert push(Intake(MODEL, rate), even(1, 2))


def test_the_rate_is_the_skeletons_unless_given() -> None:
    model: ServedModel = made_up_model(skeleton=CMU_EXPMAP)
    intake = Intake(model, 0.0)
    push(intake, FrameBlock(1, np.zeros((1, 96), np.float32), np.array([0])))
    assert intake.tail() == Span(1, 2, 0, 8333)
    assert T % STRIDE == 0
    assert SKELETON.rate_hz == RATE
