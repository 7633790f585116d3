"""Blocks of frames for the intake of a session, whole and cut, and what of them arrives."""

import itertools
from collections.abc import Sequence

import numpy as np
from tests.support.made_up_session import RATE, D, made_up_model

from motionscribe_models.recordings import even_times
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.session.arrivals import Arrival, Break
from motionscribe_server.session.frame_checks import CheckedBlock
from motionscribe_server.session.intake import Intake
from motionscribe_server.session.span import Span

MODEL = made_up_model()
PERIOD_US = round(1e6 / RATE)


def block(seq: int, times: Sequence[int] | np.ndarray, values: np.ndarray | None = None) -> FrameBlock:
    """Frames of some values at `times`."""
    times = np.array(times, np.int64)
    values = np.zeros((len(times), D), np.float32) if values is None else values
    return FrameBlock(seq, values, times)


def push(intake: Intake, block: FrameBlock) -> list[Arrival | Break]:
    """What a block brings, alone and at once."""
    points, windows = intake.push(CheckedBlock(block))
    (arrived,) = Intake.take_arrivals_many([intake])
    steps = [a.step for a in arrived if isinstance(a, Arrival)]
    assert (points, windows) == (len(steps), sum(step.decode_slot >= 0 for step in steps))
    return arrived


def pieces(whole: FrameBlock, cuts: Sequence[int]) -> list[FrameBlock]:
    """A block in parts that begin at `cuts`."""
    bounds = sorted({0, len(whole), *(cut % len(whole) for cut in cuts)})
    return [
        FrameBlock(whole.first_seq + a, whole.values[a:b], whole.timestamps_us[a:b])
        for a, b in itertools.pairwise(bounds)
    ]


def span_of(arrival: Arrival) -> Span | None:
    """Of the moment that it completes."""
    return arrival.source.span if arrival.source else None


def spans_of(arrived: Sequence[Arrival | Break], tail: Span | None) -> list[Span]:
    """All spans and gaps of a stream in order, gaps as spans."""
    spans: list[Span | None] = []
    for a in arrived:
        if isinstance(a, Arrival):
            spans.append(span_of(a))
        else:
            spans += [a.tail, Span(a.gap.start_seq, a.gap.end_seq, a.gap.start_us, a.gap.end_us)]
    return [span for span in [*spans, tail] if span is not None]


def even(seq: int, count: int, begin_us: int = 0) -> FrameBlock:
    return block(seq, begin_us + even_times(count, RATE))
