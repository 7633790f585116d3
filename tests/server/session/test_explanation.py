"""Explanations name the cause that was planted, and begin with the very point that the stream was labelled by."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from tests.support.made_up_session import PLACES, RATE, STRIDE, Means, made_up_bundle

from motionscribe_models.arrays import Single
from motionscribe_models.recordings import even_times
from motionscribe_models.skeleton import feature_skeleton
from motionscribe_proto.events import Event, SegmentEnded
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.errors import NotFoundError
from motionscribe_server.session import Driver, Moment, ServedModel, Session
from motionscribe_server.session.explanation import PARTS, explain
from motionscribe_server.session.recall import LONGEST_S, RECALLED_S

COLUMNS = tuple("abcdefgh")
SKELETON = feature_skeleton("eight", COLUMNS, RATE)
FIRST, SECOND = 4.0, 4.0
"""Seconds of the two actions."""


def model_of(cause: int) -> ServedModel:
    """Two clusters that one column tells apart; no other counts for anything."""
    bundle = made_up_bundle(PLACES[:2], SKELETON)
    motion = np.zeros_like(bundle.arrays["motion"])
    motion[0, cause, 0] = 1.0
    return ServedModel(replace(bundle, arrays={**bundle.arrays, "motion": motion}))


def played(seconds: float, level: float, cause: int, rng: np.random.Generator) -> Single:
    """Frames in which every column moves about, and the cause about a level."""
    count = round(seconds * RATE)
    frames = rng.normal(0, 0.3, 8) + np.cumsum(rng.normal(0, 0.05, (count, 8)), axis=0)
    frames[:, cause] = level + rng.normal(0, 0.05, count)
    return frames.astype(np.float32)


class Stream:
    """A session that is fed piece by piece."""

    def __init__(self, cause: int) -> None:
        self.moments: list[Moment] = []
        self.model = model_of(cause)
        self.session = Session(self.model, on_moment=self.moments.append)
        self._driver, self._sent, self._last_us = Driver(self.session, Means()), 0, 0

    def send(self, frames: Single, pause_us: int = 0) -> list[Event]:
        """After a pause."""
        times = even_times(len(frames) + 1, RATE)[1:] + self._last_us + pause_us
        block = FrameBlock(self._sent + 1, frames, times)
        self._sent, self._last_us = self._sent + len(frames), int(times[-1])
        return self._driver.send(block)

    def close(self) -> list[Event]:
        return self._driver.close()


@pytest.mark.parametrize("seed", range(20))
def test_a_joint_that_decides_the_label_is_named_first(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cause = int(rng.integers(8))
    stream = Stream(cause)
    stream.send(np.concatenate([played(FIRST, 0.0, cause, rng), played(SECOND, 1.2, cause, rng)]))
    explanation = explain(stream.model, Means(), stream.session.recall(0))
    assert (explanation.segment, explanation.cluster, explanation.other) == (2, 2, 1)
    first, *others = explanation.joints
    assert first.joint == COLUMNS[cause]
    assert first.weight > 1.0  # held at 0.6 it is as near to the one as to the other
    assert all(abs(other.weight) < 1e-6 and other.becomes == 2 for other in others)
    assert sorted(one.joint for one in explanation.joints) == sorted(COLUMNS)


def test_a_part_of_the_time_that_decides_the_label_is_named() -> None:
    """A segment that lies between both actions, but for half a second that shows the second more than plainly."""
    rng = np.random.default_rng(0)
    begin = round((FIRST + 2.1) * RATE)
    frames = np.concatenate([played(FIRST, 0.0, 0, rng), played(SECOND, 0.8, 0, rng)])
    frames[begin : begin + round(0.4 * RATE), 0] += 1.0
    stream = Stream(0)
    stream.send(frames)
    stream.close()
    explanation = explain(stream.model, Means(), stream.session.recall(2))
    parts = explanation.parts
    assert len(parts) == PARTS
    assert (parts[0].start_us, parts[-1].end_us) == (explanation.start_us, explanation.end_us)
    assert all(one.end_us == following.start_us for one, following in pairwise(parts))
    weightiest = max(parts, key=lambda part: part.weight)
    middle_us = round((FIRST + 2.3) * 1e6)
    assert weightiest.start_us <= middle_us < weightiest.end_us


def test_it_begins_with_the_point_that_the_stream_was_labelled_by() -> None:
    rng = np.random.default_rng(1)
    stream = Stream(2)
    stream.send(np.concatenate([played(FIRST, 0.0, 2, rng), played(SECOND, 1.2, 2, rng)]))
    (end,) = [event for event in stream.close() if isinstance(event, SegmentEnded)]
    settled: list[np.ndarray] = []
    for count, moment in enumerate(stream.moments, 1):
        settled[count - len(moment.estimates) :] = list(moment.estimates)
    inside = [end.start_us <= moment.span.start_us < end.end_us for moment in stream.moments]
    point = np.array(settled)[inside].mean(axis=0)
    distances = np.linalg.norm(point - [cluster.centre for cluster in stream.session.clusters()], axis=1)
    explanation = explain(stream.model, Means(), stream.session.recall(2))
    assert explanation.margin == pytest.approx((distances[0] - distances[1]) / stream.model.radius, rel=1e-5)


def test_a_cluster_alone_has_no_margin() -> None:
    bundle = made_up_bundle(PLACES[:1], SKELETON)
    model = ServedModel(bundle)
    session = Session(model)
    driver = Driver(session, Means())
    driver.send(FrameBlock(1, np.zeros((120, 8), np.float32), even_times(120, RATE)))
    explanation = explain(model, Means(), session.recall(0))
    assert (explanation.margin, explanation.other) == (np.inf, 0)
    assert all(joint.weight == 0 for joint in explanation.joints)


def test_a_merged_cluster_is_explained_as_what_it_is_part_of() -> None:
    rng = np.random.default_rng(4)
    stream = Stream(1)
    stream.send(np.concatenate([played(FIRST, 0.0, 1, rng), played(SECOND, 1.2, 1, rng)]))
    stream.session.rename(1, "still")
    stream.session.merge([2], 1)
    recalled = stream.session.recall(2)
    assert (recalled.cluster, recalled.name) == (1, "still")
    assert explain(stream.model, Means(), recalled).other == 0


def test_a_label_whose_cluster_is_gone_is_explained_by_the_segment_itself() -> None:
    rng = np.random.default_rng(5)
    stream = Stream(3)
    stream.send(np.concatenate([played(FIRST, 0.0, 3, rng), played(SECOND, 1.2, 3, rng)]))
    recalled = stream.session.recall(2)
    kept = recalled.ids != recalled.cluster
    gone = replace(
        recalled,
        ids=recalled.ids[kept],
        centres=recalled.centres[kept],
        names=tuple(name for name, own in zip(recalled.names, kept, strict=True) if own),
    )
    explanation = explain(stream.model, Means(), gone)
    assert (explanation.cluster, explanation.other) == (2, 1)
    assert explanation.margin == pytest.approx(1.2 / stream.model.radius, rel=0.1)
    assert explanation.joints[0].joint == COLUMNS[3]


def test_a_segment_that_is_nearer_to_another_cluster_would_not_become_that_one() -> None:
    rng = np.random.default_rng(6)
    stream = Stream(3)
    stream.send(np.concatenate([played(FIRST, 0.0, 3, rng), played(SECOND, 1.2, 3, rng)]))
    recalled = replace(stream.session.recall(2), cluster=1)
    explanation = explain(stream.model, Means(), recalled)
    assert explanation.margin < 0
    assert {joint.becomes for joint in explanation.joints if abs(joint.weight) < 1e-6} == {1}


def test_what_came_before_a_snapshot_is_not_there() -> None:
    rng = np.random.default_rng(7)
    stream = Stream(0)
    stream.send(np.concatenate([played(FIRST, 0.0, 0, rng), played(0.5, 1.2, 0, rng)]))
    again = Session(stream.model)
    again.restore(stream.session.state())
    driver = Driver(again, Means())
    numbers = set[int]()
    for count in range(40):  # moments that were not final then become it
        times = even_times(STRIDE + 1, RATE)[1:] + round((FIRST + 0.5) * 1e6) + round(count * STRIDE / RATE * 1e6)
        driver.send(FrameBlock(again.next_seq, played(STRIDE / RATE, 1.2, 0, rng), times))
        for number in (0, 1, 2):
            try:
                numbers.add(again.recall(number).segment)
            except NotFoundError:
                continue
    assert numbers == {2}


def test_a_stream_without_a_segment_has_nothing_to_explain() -> None:
    with pytest.raises(NotFoundError, match=r"one of \(there are none\), got none"):
        Stream(0).session.recall(0)


def test_what_is_older_than_is_recalled_is_gone_and_long_segments_are_seen_at_their_end() -> None:
    rng = np.random.default_rng(2)
    stream = Stream(0)
    stream.send(np.concatenate([played(FIRST, 0.0, 0, rng), played(RECALLED_S + 2, 1.2, 0, rng)]))
    with pytest.raises(NotFoundError, match="one of 2, got 1"):
        stream.session.recall(1)
    recalled = stream.session.recall(2)
    moment_s = STRIDE / RATE
    assert (recalled.last - recalled.first) * moment_s == pytest.approx(LONGEST_S)
    explanation = explain(stream.model, Means(), recalled)
    assert (explanation.end_us - explanation.start_us) / 1e6 == pytest.approx(LONGEST_S, abs=moment_s)


def test_a_gap_is_a_border_and_the_end_is_none_until_another_stretch_begins() -> None:
    rng = np.random.default_rng(3)
    stream = Stream(0)
    stream.send(played(FIRST, 0.0, 0, rng))
    stream.send(played(0.2, 1.2, 0, rng), pause_us=5_000_000)
    with pytest.raises(NotFoundError):
        stream.session.recall(1)
    stream.send(played(SECOND, 1.2, 0, rng))
    recalled = stream.session.recall(0)
    assert recalled.cluster == 2
    assert len(recalled.features) == recalled.lengths.sum() <= round((SECOND + 0.2) * RATE)
    stream.close()
    assert stream.session.recall(0).cluster == 2
