"""Segments are the maximal runs of the labels that a timeline is given, and tile it."""

from itertools import groupby, pairwise

from hypothesis import given
from hypothesis import strategies as st

from motionscribe_proto.events import Event, Label, SegmentEnded, SegmentStarted
from motionscribe_server.session.default_names import Name
from motionscribe_server.session.span import Span
from motionscribe_server.session.timeline import Timeline


@st.composite
def moments(draw: st.DrawFn) -> list[tuple[Span, int]]:
    """Spans that touch, each with its cluster."""
    seq, time, told = draw(st.integers(1, 9)), draw(st.integers(-100, 100)), []
    for cluster in draw(st.lists(st.integers(0, 3), min_size=1, max_size=30)):
        span = Span(seq, seq + draw(st.integers(1, 5)), time, time + draw(st.integers(1, 9)))
        seq, time = span.end_seq, span.end_us
        told.append((span, cluster))
    return told


NOTHING = Name("")


def name_of(cluster: int) -> Name:
    return Name(f"name {cluster}", guessed=cluster == 2) if cluster else NOTHING


def run(told: list[tuple[Span, int]]) -> list[Event]:
    timeline, events = Timeline(), list[Event]()
    for span, cluster in told:
        events += timeline.add(span, cluster, name_of(cluster), name_of(timeline.cluster))
        assert timeline.cluster == cluster
    return [*events, *timeline.end(name_of(timeline.cluster))]


@given(moments())
def test_segments_are_runs_of_one_label(told: list[tuple[Span, int]]) -> None:
    expected: list[Event] = []
    for number, (cluster, group) in enumerate(groupby(told, key=lambda pair: pair[1]), 1):
        spans = [span for span, _ in group]
        first, last, name = spans[0], spans[-1], name_of(cluster)
        expected.append(SegmentStarted(number, cluster, name.text, first.start_seq, first.start_us, name.guessed))
        expected += [Label(s.start_seq, s.end_seq, s.start_us, s.end_us, cluster, 1.0, True) for s in spans]
        ends = first.start_seq, last.end_seq, first.start_us, last.end_us
        expected.append(SegmentEnded(number, cluster, name.text, *ends, name.guessed))
    assert run(told) == expected


@given(moments(), st.data())
def test_an_end_in_between_cuts_a_run_in_two(told: list[tuple[Span, int]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(told)))
    timeline, events = Timeline(), list[Event]()
    for k, (span, cluster) in enumerate(told):
        if k == at:
            events += timeline.end(Name("cut"))
            assert timeline.cluster == 0
            assert timeline.end(Name("again")) == []
        events += timeline.add(span, cluster, NOTHING, NOTHING)
    events += timeline.end(NOTHING)
    ended = [e for e in events if isinstance(e, SegmentEnded)]
    assert [e.segment for e in ended] == list(range(1, len(ended) + 1))
    assert all(a.end_seq == b.start_seq and a.end_us == b.start_us for a, b in pairwise(ended))
    cut = {a[0].end_seq for a, b in pairwise(told) if a[1] != b[1]}
    cut |= {told[at - 1][0].end_seq} if 0 < at < len(told) else set()
    assert {e.end_seq for e in ended[:-1]} == cut


def test_the_name_is_the_one_that_holds_when_the_segment_ends() -> None:
    timeline = Timeline()
    started, _ = timeline.add(Span(1, 4, 0, 3), 7, NOTHING, NOTHING)
    ended, *_ = timeline.add(Span(4, 6, 3, 5), 8, Name("next"), Name("named since", guessed=True))
    assert isinstance(started, SegmentStarted)
    assert isinstance(ended, SegmentEnded)
    assert (started.name, ended.name, ended.cluster) == ("", "named since", 7)
    assert (started.guessed, ended.guessed) == (False, True)


def test_nothing_ends_where_nothing_began() -> None:
    assert Timeline().end(NOTHING) == []
