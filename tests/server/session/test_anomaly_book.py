"""The book of a stream's anomalies: the newest are kept, those with a mark longest, and ids count on."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.engine_messages import EVENTS, few

from motionscribe_proto.events import Anomaly
from motionscribe_proto.verdicts import VERDICTS, Verdict
from motionscribe_server.errors import ExhaustedError, NotFoundError
from motionscribe_server.session.anomaly_book import MOST, MOST_MARKED, AnomalyBook, Fired, KeptAnomaly, PackedBook

ONE = Anomaly(0, False, 1, 4, 10, 40, "motion fault", "misfit", "ended", 0.25, ("wrist",), (5.5,), 3)
FIRED = (Fired("misfit", (2, 5), (5.5, 4.75)), Fired("tremor", (0,), (6.125,)))


def book_of(count: int, packed: PackedBook | None = None) -> AnomalyBook:
    book = AnomalyBook(packed or PackedBook())
    for _ in range(count):
        book.put(replace(ONE, anomaly=book.begin()), FIRED)
    return book


def ids(book: AnomalyBook) -> list[int]:
    return [kept.event.anomaly for kept in book.kept]


def test_the_newest_are_kept_and_those_with_a_mark_whatever_their_age() -> None:
    book = book_of(MOST)
    book.mark(2, "fault")
    book.mark(4, "normal")
    book.put(replace(ONE, anomaly=book.begin(), ongoing=True), ())
    book_ids = ids(book)
    assert book_ids == [2, *range(3, MOST + 2)]
    for _ in range(MOST):
        book.put(replace(ONE, anomaly=book.begin()), FIRED)
    assert ids(book) == [2, 4, MOST + 1, *range(2 * MOST + 2 - (MOST - 3), 2 * MOST + 2)], "what goes on stays, too"
    book.mark(2, "none")
    book.put(replace(ONE, anomaly=book.begin()), FIRED)
    assert ids(book)[0] == 4


def test_no_more_marks_than_there_may_be() -> None:
    book = book_of(MOST_MARKED + 1)
    for id in range(1, MOST_MARKED + 1):
        book.mark(id, "normal")
    before = book.packed()
    assert before.marks == MOST_MARKED
    with pytest.raises(ExhaustedError, match="at most 64 marked anomalies in a stream, got one more"):
        book.mark(MOST_MARKED + 1, "fault")
    with pytest.raises(NotFoundError, match=r"the newest are .* 64, 65, got 66"):
        book.mark(66, "none")
    assert book.packed() == before
    book.mark(7, "fault")  # another word for one that is marked
    book.mark(8, "none")
    book.mark(MOST_MARKED + 1, "fault")
    assert book.packed().marks == MOST_MARKED


def test_an_empty_book_says_that_it_has_none() -> None:
    with pytest.raises(NotFoundError, match="the newest are none, got 1"):
        AnomalyBook(PackedBook(9)).mark(1, "none")


def test_ids_count_on_and_what_was_open_is_over_in_the_next_session() -> None:
    first = book_of(2)
    first.put(replace(ONE, anomaly=first.begin(), ongoing=True, phase="confirmed"), FIRED)
    first.mark(3, "normal")
    second = AnomalyBook(first.packed())
    assert [kept.event.ongoing for kept in second.kept] == [False, False, True]
    second.end_all()
    assert second.begin() == 4
    last = second.kept[-1]
    assert (last.event.ongoing, last.event.phase, last.verdict, last.fired) == (False, "ended", "normal", FIRED)


def test_an_anomaly_that_goes_on_keeps_its_verdict() -> None:
    book = book_of(1)
    book.mark(1, "fault")
    book.put(replace(ONE, anomaly=1, end_seq=9), ())
    assert book.kept == (KeptAnomaly(replace(ONE, anomaly=1, end_seq=9), (), "fault"),)


KEPT = st.builds(
    KeptAnomaly,
    EVENTS[Anomaly],
    few(st.integers(0, 3).flatmap(lambda n: st.builds(Fired, st.text(), *_columns(n)))),
    st.sampled_from(VERDICTS),
)


def _columns(count: int) -> tuple[st.SearchStrategy[tuple[int, ...]], st.SearchStrategy[tuple[float, ...]]]:
    return st.tuples(*[st.integers(0, 99)] * count), st.tuples(*[st.floats(allow_nan=False)] * count)


@given(st.lists(KEPT, max_size=4, unique_by=lambda kept: kept.event.anomaly), st.data())
def test_every_anomaly_comes_back_bit_by_bit(anomalies: list[KeptAnomaly], data: st.DataObject) -> None:
    book = AnomalyBook(PackedBook(7))
    for kept in anomalies:
        book.put(kept.event, kept.fired)
        book.mark(kept.event.anomaly, kept.verdict)
    packed = book.packed()
    assert packed.unpack() == tuple(anomalies) == book.kept
    assert (packed.next_id, packed.marks) == (7, sum(kept.verdict != "none" for kept in anomalies))
    assert AnomalyBook(packed).packed() == packed
    if anomalies:  # what was packed before does not stay behind
        verdict: Verdict = data.draw(st.sampled_from(VERDICTS))
        book.mark(anomalies[0].event.anomaly, verdict)
        assert book.packed().unpack()[0].verdict == verdict
    again = book_of(3)
    again.restore(book.state())
    assert again.packed() == book.packed()


def test_what_stores_and_snapshots_hold() -> None:
    """Whoever changes this raises FORMAT of snapshot.py, VERSION of both stores, or reads the former, too."""
    book = book_of(1)
    book.mark(1, "normal")
    assert json.loads(book.packed().text) == [
        {
            "anomaly": {
                "event": "Anomaly",
                "anomaly": 1,
                "ongoing": False,
                "start_seq": 1,
                "end_seq": 4,
                "start_us": 10,
                "end_us": 40,
                "kind": "motion fault",
                "detector": "misfit",
                "phase": "ended",
                "false_alarms_per_hour": 0.25,
                "joints": ["wrist"],
                "deviations": [5.5],
                "cluster": 3,
            },
            "fired": [
                {"score": "misfit", "columns": [2, 5], "peaks": [5.5, 4.75]},
                {"score": "tremor", "columns": [0], "peaks": [6.125]},
            ],
            "verdict": "normal",
        }
    ]
