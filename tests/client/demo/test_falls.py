"""Falls of the synthetic performer: the pelvis goes down from the frame in which the truth says balance is lost."""

import numpy as np
import pytest

from motionscribe.demo.performer import SCRIPT, Performance, Truth, perform
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import CMU_EXPMAP
from motionscribe_models.rotations import rotation_matrix

RATE_HZ = 120.0
FALLS = ("fall", "fall_backwards", "fall_sideways", "collapse")


def pelvis(performance: Performance) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Heights (n,) in metres, with so much sensor noise taken away that millimetres count."""
    heights = performance.recording.frames[:, 1].astype(np.float64) * CMU_EXPMAP.metres_per_unit
    return np.convolve(np.pad(heights, 6, mode="edge"), np.ones(13) / 13, mode="valid")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("before", ["idle", "run", "squat"])
@pytest.mark.parametrize("name", FALLS)
def test_the_pelvis_goes_down_without_stopping_once_balance_is_lost(name: str, before: str, seed: int) -> None:
    performance = perform([(before, 3.0), (name, 5.0)], seed=seed)
    segment = performance.segments[1]
    assert segment.balance_lost_seq is not None
    lost = segment.balance_lost_seq - 1
    assert -0.1 <= (segment.balance_lost_seq - segment.start_seq) / RATE_HZ < 0.5
    heights = pelvis(performance)
    assert 0.95 < heights[lost] < 1.1, "it stands"
    lies = lost + int(np.argmax(heights[lost:] < 0.45))
    assert (lies - lost) / RATE_HZ < (2.6 if name == "collapse" else 1.3)
    assert np.diff(heights[lost:lies]).max() < 0.0003, "no millimetre upwards"
    assert (heights[lost + 12 : lies - 12] > heights[lost + 24 : lies]).all(), "and none to rest on for 0.1 s"
    assert heights[lies:].max() < 0.46, "it stays down"


@pytest.mark.parametrize("name", FALLS)
def test_who_has_fallen_lies(name: str) -> None:
    frames = perform([("walk", 2.0), (name, 6.0)], seed=5).recording.frames[-60:]
    places = joint_positions(CMU_EXPMAP, frames) * CMU_EXPMAP.metres_per_unit
    assert places[:, :, 1].max() < 0.75
    assert places[:, CMU_EXPMAP.joints.index("head"), 1].max() < 0.5
    up_of_pelvis = rotation_matrix(frames[:, 3:6])[:, 1]
    assert np.abs(up_of_pelvis[:, 1]).max() < 0.35


def test_falls_go_to_different_sides() -> None:
    """Where the front of the pelvis looks at the end: down, up, or to the horizon."""
    front = {}
    for name in FALLS:
        frames = perform([("idle", 2.0), (name, 6.0)], seed=1).recording.frames[-1:]
        front[name] = rotation_matrix(frames[:, 3:6])[0, 2, 1]
    assert front["fall"] < -0.9 < 0.9 < front["fall_backwards"]
    assert abs(front["fall_sideways"]) < 0.35 > abs(front["collapse"])


def test_a_stumble_is_no_fall() -> None:
    for seed in range(4):
        performance = perform([("walk", 3.0), ("stumble", 4.0)], seed=seed)
        assert [segment.balance_lost_seq for segment in performance.segments] == [None, None]
        heights = pelvis(performance)[360:]
        assert 0.8 < heights.min() < 0.92, "the knees bend"
        assert heights[-120:].min() > 0.95, "and are straight again"


def test_whoever_does_not_fall_keeps_their_balance() -> None:
    *others, last = perform(seed=3).segments
    assert all(segment.balance_lost_seq is None for segment in others)
    assert last.balance_lost_seq is not None
    assert perform([("collapse", 0.5)]).segments == (Truth(1, 61, "collapse"),), "it still stands at the end"
    assert SCRIPT[-1][0] == last.name
