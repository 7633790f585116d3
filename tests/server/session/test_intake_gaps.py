"""Gaps and tails at the door of a session: what is missing, what is bridged, and what no moment covers."""

import numpy as np
import pytest
from tests.support.intake_blocks import MODEL, PERIOD_US, block, even, pieces, push, span_of, spans_of
from tests.support.made_up_session import RATE, STRIDE

from motionscribe_models.recordings import even_times
from motionscribe_proto.events import Gap
from motionscribe_server.session.arrivals import Arrival, Break
from motionscribe_server.session.intake import Intake
from motionscribe_server.session.span import Span


@pytest.mark.parametrize("size", [1, 7, 40])
def test_missing_time_is_one_gap_and_a_restart_whatever_the_blocks(size: int) -> None:
    intake, arrived = Intake(MODEL, 0.0), []
    times = even_times(40, RATE)
    times[20:] += 5_000_000
    for piece in pieces(block(3, times), range(0, 40, size)):
        arrived += push(intake, piece)
    breaks = [a for a in arrived if isinstance(a, Break)]
    gap_us = int(times[19]) + PERIOD_US, int(times[20])
    assert breaks == [Break(Gap(23, 23, *gap_us), Span(21, 23, int(times[18]), gap_us[0]), 23, [])]
    at = arrived.index(breaks[0])
    indices = [a.step.index for a in arrived if isinstance(a, Arrival)]
    assert (at, indices) == (20, [*range(20), *range(20)])


def test_missing_seqs_with_their_time_are_a_gap_of_frames() -> None:
    intake = Intake(MODEL, 0.0)
    push(intake, even(1, 10))
    (broken, first, *_) = push(intake, even(41, 10, 40 * PERIOD_US))
    assert isinstance(broken, Break)
    assert (broken.gap.start_seq, broken.gap.end_seq, broken.restart_seq) == (11, 41, 41)
    assert isinstance(first, Arrival)
    assert first.step.restart


@pytest.mark.parametrize("lost", range(1, 7))
@pytest.mark.parametrize("before", range(8, 13))
def test_few_lost_frames_are_bridged_and_counted(lost: int, before: int) -> None:
    """Even where a moment ends among the lost ones."""
    intake = Intake(MODEL, 0.0)
    arrived = push(intake, even(1, before))
    after = before + lost
    arrived += push(intake, block(after + 1, even_times(40, RATE)[after:]))
    assert not any(isinstance(a, Break) for a in arrived)
    spans = spans_of(arrived, intake.tail())
    assert [span.start_seq for span in spans[1:]] == [span.end_seq for span in spans[:-1]]
    assert (spans[0].start_seq, spans[-1].end_seq) == (1, 41)
    assert [a.step.index for a in arrived if isinstance(a, Arrival)] == list(range(40))


def test_lost_seqs_without_lost_time_are_bridged() -> None:
    intake = Intake(MODEL, 0.0)
    push(intake, even(1, 10))
    arrived = push(intake, even(5000, 10, 10 * PERIOD_US))
    assert not any(isinstance(a, Break) for a in arrived)
    assert spans_of(arrived, intake.tail())[0].start_seq <= 11


def test_frames_after_a_year_go_on() -> None:
    intake = Intake(MODEL, 0.0)
    push(intake, even(1, 10))
    year_us = 365 * 86_400 * 10**6
    broken, *arrived = push(intake, even(11, 10, year_us))
    assert isinstance(broken, Break)
    assert broken.gap.end_us == year_us
    assert len(arrived) == 10


def test_a_slow_camera_has_no_gap_between_its_frames() -> None:
    intake = Intake(MODEL, 10.0)
    times = np.arange(30) * 125_000  # a little slower than it said
    arrived = push(intake, block(1, times))
    assert not any(isinstance(a, Break) for a in arrived)
    assert len(arrived) == 1 + 29 * 125 * 30 // 1000
    late = push(intake, block(31, [int(times[-1]) + 251_000]))
    assert isinstance(late[0], Break), "two and a half of its periods"


def test_a_moment_that_saw_no_frame_has_no_span() -> None:
    """At 10 Hz a frame that is late leaves a window without a frame of its own; later ones make up for it."""
    intake = Intake(MODEL, 10.0)
    arrived = push(intake, block(1, [0, 100_000, 340_000, 350_000, 450_000, 550_000]))
    moments = [span_of(a) for a in arrived if isinstance(a, Arrival) and a.step.decode_slot >= 0]
    assert None in moments
    spans = spans_of(arrived, intake.tail())
    assert [span.start_seq for span in spans[1:]] == [span.end_seq for span in spans[:-1]]


# -- tails


@pytest.mark.parametrize("count", range(1, 2 * STRIDE + 1))
def test_the_tail_is_what_no_moment_covers(count: int) -> None:
    intake = Intake(MODEL, 0.0)
    push(intake, even(5, count, 700))
    covered = count // STRIDE * STRIDE
    tail = intake.tail()
    if covered == count:
        assert tail is None
    else:
        times = 700 + even_times(count, RATE)
        assert tail == Span(5 + covered, 5 + count, int(times[covered]), int(times[-1]) + PERIOD_US)


def test_without_frames_there_is_no_tail() -> None:
    intake = Intake(MODEL, 0.0)
    assert intake.tail() is None
    assert (intake.next_seq, intake.last_us) == (1, None)
