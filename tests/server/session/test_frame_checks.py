"""What a stream accepts: a refused block has never been there; what is accepted, however odd, leaves finite numbers."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.models.test_features import body
from tests.support.made_up_session import RATE, D, feed, made_up_model, motion

from motionscribe_models.errors import LayoutError
from motionscribe_models.recordings import Recording, even_times
from motionscribe_models.repository import read_bundle
from motionscribe_proto.codec import events_to_messages
from motionscribe_proto.events import Anomaly, Label
from motionscribe_proto.frames import FrameBlock
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.frame_checks import BEYOND, FARTHEST, LONGEST_US, check, split
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.options import SessionOptions
from motionscribe_server.session.replay import replay

MODEL = made_up_model()


def block(seq: int, times: Sequence[int] | np.ndarray, values: np.ndarray | None = None) -> FrameBlock:
    """Frames of some values at `times`."""
    times = np.array(times, np.int64)
    values = np.zeros((len(times), D), np.float32) if values is None else values
    return FrameBlock(seq, values, times)


# -- what is refused, after 20 frames of which the last came at 633,333 us


def with_value(value: float) -> np.ndarray:
    values = np.zeros((4, D), np.float32)
    values[2, 1] = value
    return values


REFUSED: dict[str, tuple[FrameBlock, str]] = {
    "NaN": (
        block(21, 10**6 + np.arange(4), with_value(np.nan)),
        r"expected finite values of at most 10000, got nan in y of frame 23",
    ),
    "NaN at the last of all seqs": (
        block(2**64 - 1, [10**6], np.full((1, D), np.nan, np.float32)),
        f"got nan in x of frame {2**64 - 1}",
    ),
    "infinity": (block(21, 10**6 + np.arange(4), with_value(-np.inf)), r"got -inf in y of frame 23"),
    "width": (
        block(21, 10**6 + np.arange(4), np.zeros((4, 3), np.float32)),
        r"plane: expected frames of 2 columns, got shape \(4, 3\)",
    ),
    "NaN beyond the width": (
        block(21, 10**6 + np.arange(1), np.array([[0, 0, np.nan]], np.float32)),
        r"expected finite values of at most 10000, got nan in column 3 of frame 21",
    ),
    "no pose": (
        block(21, [10**6], np.full((1, D), 10_001, np.float32)),
        r"at most 10000, got 10001.0 in x of frame 21",
    ),
    "nanoseconds": (block(21, [633_334 + LONGEST_US]), r"expected times of one clock in microseconds"),
    "nanoseconds within": (block(21, [10**6, 10**6 + LONGEST_US + 1]), r"expected times of one clock in microseconds"),
    "seq backwards": (block(20, 10**6 + np.arange(4)), r"expected seq 21 or later, got 20"),
    "seq again": (block(1, 10**6 + np.arange(4)), r"expected seq 21 or later, got 1"),
    "time backwards": (block(21, [10**6, 10**6 - 5]), r"expected times that increase, got 999995 us after 1000000 us"),
    "time equal": (block(21, [10**6, 10**6]), r"got 1000000 us after 1000000 us at frame 22"),
    "time before the last": (block(21, [633_332]), r"expected times that increase, got 633332 us after 633333 us"),
    "time of the last": (block(21, [633_333]), r"got 633333 us after 633333 us at frame 21"),
    "time too large": (
        block(21, [2**63 - 1]),
        r"expected seq and times within 2\*\*62, got 9223372036854775807 us at frame 21",
    ),
    "time too small": (
        block(21, [-(2**63)]),
        r"expected seq and times within 2\*\*62, got -9223372036854775808 us at frame 21",
    ),
    "time that wraps": (block(21, [10**6, 2**63 - 1, 2 * 10**6]), r"within 2\*\*62"),
    "seq too large": (block(2**64, [10**6]), r"expected seq and times within 2\*\*62, got seq 18446744073709551616"),
    "seq that overflows": (block(FARTHEST - 1, 10**6 + np.arange(4)), r"within 2\*\*62"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_block_that_cannot_follow_is_refused(name: str) -> None:
    bad, message = REFUSED[name]
    with pytest.raises(LayoutError, match=message):
        check(bad, MODEL, 21, 633_333)


@pytest.mark.parametrize("name", REFUSED)
def test_a_refused_block_has_never_been_there(name: str) -> None:
    bad, message = REFUSED[name]
    disturbed, undisturbed = feed(MODEL), feed(MODEL)
    values, times = motion([(0, 4), (1, 10)]), even_times(42, RATE)
    parts = [FrameBlock(1, values[:20], times[:20]), FrameBlock(21, values[20:], times[20:])]
    events = disturbed.send(parts[0])
    for _ in range(2):
        with pytest.raises(LayoutError, match=message):
            disturbed.send(bad)
        assert disturbed.session.next_seq == 21
    events += disturbed.send(parts[1]) + disturbed.close()
    assert events == undisturbed.send(parts[0]) + undisturbed.send(parts[1]) + undisturbed.close()


FAULTS: dict[str, Callable[[np.ndarray, np.ndarray, int], None]] = {
    "value": lambda values, times, row: values[row].fill(np.nan),
    "pose": lambda values, times, row: values[row, 3:7].fill(0.0),
    "order": lambda values, times, row: np.put(times, row, -5),
    "pause": lambda values, times, row: np.put(times, row, times[row] + 2 * LONGEST_US),
    "bounds": lambda values, times, row: np.put(times, row, FARTHEST),
}


@given(st.integers(1, 12), st.dictionaries(st.integers(0, 11), st.sampled_from(sorted(FAULTS))))
def test_a_block_splits_before_its_first_bad_frame(rows: int, faults: dict[int, str]) -> None:
    skeleton = body("quaternion")
    values = np.zeros((rows, skeleton.width), np.float32)
    values[:, 3::4] = 1.0
    times = even_times(rows, RATE) + 700_000
    bad = {row: fault for row, fault in faults.items() if row < rows}
    for row, kind in bad.items():
        FAULTS[kind](values, times, row)
    good, fault = split(FrameBlock(21, values, times), made_up_model(skeleton=skeleton), 21, 633_333)
    before = min(bad, default=rows)
    assert (0 if good is None else len(good)) == before
    assert (fault is None) == (not bad)
    if fault and bad[before] != "pose":
        assert f"frame {21 + before}" in str(fault)


def test_a_refused_first_block_does_not_fix_the_first_seq() -> None:
    stream = feed(MODEL)
    with pytest.raises(LayoutError, match="expected finite values"):
        stream.send(block(900, [5], np.full((1, D), np.nan, np.float32)))
    stream.send(block(7, even_times(4, RATE)))
    assert stream.session.next_seq == 11


def test_a_quaternion_of_length_0_is_refused() -> None:
    skeleton = body("quaternion")
    model = made_up_model(skeleton=skeleton)
    values = np.zeros((2, skeleton.width), np.float32)
    values[:, 3::4] = 1.0
    first = FrameBlock(1, values, np.array([0, 1]))
    assert check(first, model, 1, None) is first
    values[1, 7] = 0.0
    with pytest.raises(LayoutError, match="expected quaternions w x y z of length 1, got one of length 0"):
        check(FrameBlock(3, values, np.array([2, 3])), model, 3, 1)


# -- what is accepted

S = 120
"""Frames of a second."""


def frozen(usual: NDArray[np.float32], model: ServedModel) -> NDArray[np.float32]:
    """A camera that repeats its last frame, or a machine that stands still."""
    return np.repeat(usual[-1:], 20 * S, axis=0)


def broken(usual: NDArray[np.float32], model: ServedModel) -> NDArray[np.float32]:
    """The largest values that are admitted, of either sign."""
    signs = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), (5 * S, usual.shape[1]))
    return signs * np.float32(BEYOND * model.largest)


@pytest.mark.parametrize("odd", [frozen, broken])
def test_odd_frames_in_the_middle_are_only_odd(tiny_model: Path, odd: Callable[..., NDArray[np.float32]]) -> None:
    bundle = read_bundle(tiny_model)
    model = ServedModel(bundle)
    skeleton = model.manifest.skeleton
    times = np.arange(20 * S) / S
    usual = (0.3 * np.sin(2 * np.pi * times[:, None] + np.arange(skeleton.width))).astype(np.float32)
    frames = np.concatenate([usual, odd(usual, model), usual])
    recording = Recording("odd", frames, even_times(len(frames), S), skeleton)
    with np.errstate(all="raise", under="ignore"):
        emitted = list(replay(model, Inference(bundle, batch_sizes=(1,)), recording, SessionOptions(rate_hz=S)))
    events = [e.event for e in emitted]
    labels = [event for event in events if isinstance(event, Label) and event.final]
    assert labels[0].start_seq == 1
    assert labels[-1].end_seq == len(frames) + 1
    assert all(one.end_seq == two.start_seq for one, two in pairwise(labels))
    assert "nan" not in str(events_to_messages(events))
    if odd is broken:
        assert any(isinstance(event, Anomaly) for event in events)
    # the motion that was there before is known again
    before = [label.cluster for label in labels if label.end_seq < 18 * S and label.start_seq > 10 * S]
    after = [label.cluster for label in labels if label.start_seq > len(frames) - 8 * S]
    assert set(before) & set(after)
