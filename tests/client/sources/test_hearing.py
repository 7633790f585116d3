"""Whoever wants what came as it came gets all of it, from a feed and from any other source."""

from collections.abc import AsyncIterator, Generator
from contextlib import closing
from threading import Event

import numpy as np
import pytest

from motionscribe.errors import BadFrames
from motionscribe.feed_clock import FeedClock, now_us
from motionscribe.sources import IterableSource, Source
from motionscribe.sources.hearing import hear
from motionscribe.sources.live_feed import LiveFeed
from motionscribe.sources.moments import Body, Moment
from motionscribe.sources.replaying import track_of
from motionscribe.sources.takes import MOST, Part, Takes
from motionscribe_models.recordings.take import Take
from motionscribe_models.skeleton import feature_skeleton

TWO = feature_skeleton("two", ("a", "b"), 60.0)


def moment(number: int, person: str = "") -> Moment:
    return Moment(number, now_us(), [Body(TWO, np.full(2, number, np.float32), None, person)])


class Reader:
    """Says five moments, then waits for the test, then ends as it is told."""

    where, rate_hz, strange = "a reader", 60.0, 0

    def __init__(self, failure: Exception | None = None) -> None:
        self.said, self.go_on = Event(), Event()
        self._failure = failure

    def moments(self) -> Generator[Moment | None, None, None]:
        yield from map(moment, range(5))
        yield None
        self.said.set()
        self.go_on.wait(20)
        yield from map(moment, range(5, 8))
        if self._failure:
            raise self._failure


@pytest.mark.parametrize("is_late", [False, True])
def test_moments_of_a_feed_are_all_that_its_reader_said_before_anybody_asked_too(is_late: bool) -> None:
    reader = Reader()
    feed = LiveFeed("made", reader)
    assert reader.said.wait(20)
    if is_late:
        reader.go_on.set()
    times = []
    with closing(hear(feed)) as moments:
        for came in moments:
            reader.go_on.set()
            if came:
                times.append(came.time_us)
    assert times == list(range(8))


def test_what_kept_a_reader_from_hearing_is_raised_after_what_it_heard() -> None:
    reader = Reader(OSError("the cable is out"))
    reader.go_on.set()
    heard: list[Moment] = []
    with pytest.raises(OSError, match="the cable is out"):
        _listen(LiveFeed("made", reader), heard)
    assert [came.time_us for came in heard] == list(range(8))


def _listen(source: Source, heard: list[Moment]) -> None:
    heard.extend(came for came in hear(source) if came)  # keeps what came before a failure


async def _frames() -> AsyncIterator[tuple[int, list[float]]]:
    yield 1, [1.0, 2.0]
    yield 1, [3.0, 4.0]
    raise BadFrames("expected more")


def test_frames_of_any_source_are_moments_whatever_their_times() -> None:
    heard: list[Moment] = []
    with pytest.raises(BadFrames, match="expected more"):
        _listen(IterableSource(_frames(), name="any", rate_hz=60.0), heard)
    assert [one.time_us for one in heard] == [1, 1]
    assert heard[1].bodies[0].values.tolist() == [3.0, 4.0]
    assert heard[0].bodies[0].skeleton.joints == ("channel_1", "channel_2")
    assert heard[0].arrived_us <= heard[1].arrived_us


def test_takes_come_in_pieces_and_are_bounded() -> None:
    takes = Takes("made", several=True)
    takes.take(moment(1, "a"))
    takes.take(moment(2, "a"))
    first = takes.pop(60.0)[Part("a", 0)]
    assert (first.times_us.tolist(), first.name, first.skeleton.rate_hz) == ([1, 2], "made-a", 60.0)
    assert takes.pop() == {}
    for number in range(MOST + 5):
        takes.take(moment(number, f"p{number}"))
    assert (len(takes.pop()), takes.left_out) == (MOST - 1, 6)


def test_moments_of_several_people_are_sent_again_together() -> None:
    def take(arrived: list[int], times: list[int]) -> Take:
        frames = np.zeros((len(times), 2), np.float32)
        return Take("t", frames, np.array(times, np.int64), np.array(arrived, np.int64), TWO)

    track = track_of([take([1, 1, 3, 4], [10, 11, 12, 9]), take([1, 3, 5], [11, 12, 13])])
    assert track.leave_us == [1, 1, 3, 4, 5]
    assert track.times_us == [10, 11, 12, 9, 13]
    assert track.rows == [[0, None], [1, 0], [2, 1], [3, None], [None, 2]]


def test_frames_that_were_held_up_are_no_jump_of_a_clock() -> None:
    clock = FeedClock()
    for n in range(600):
        time_us = n * 16_667
        held = 300 <= n < 330
        clock.take(time_us, 330 * 16_667 + 40 * n if held else time_us)
    assert clock.jumps == 0
    assert clock.drift_ppm == pytest.approx(0, abs=1)
    for n in range(600, 700):
        clock.take(n * 16_667 + 3_600_000_000, n * 16_667)
    assert clock.jumps == 1
