"""Features of the same motion at another rate are nearly the same."""

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.features import FeatureMap, moving_joints, recording_features
from motionscribe_models.recordings import CMU_EXPMAP, even_times


def analytic(rate: float, seconds: float = 4.0, jitter: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The same motion sampled at any rate: frames (n, 96) and times (n,), which jitter by a share of the period."""
    rng = np.random.default_rng(3)
    count = int(seconds * rate)
    times = even_times(count, rate)
    times[1:-1] += np.rint(rng.uniform(-jitter, jitter, count - 2) * 1e6 / rate).astype(np.int64)
    wave, phase = np.random.default_rng(4).uniform([[0.3], [0.0]], [[1.2], [6.0]], (2, 96))
    angles = 0.5 * np.sin(phase + 2 * np.pi * wave * times[:, None] / 1e6)
    angles[:, :3] *= 10.0
    return angles, times


@pytest.mark.parametrize(
    ("rate", "jitter"), [(60.0, 0.0), (100.0, 0.0), (240.0, 0.0), (120.0, 0.4), (60.0, 0.4), (29.97, 0.0)]
)
def test_another_rate_gives_nearly_the_same_features(rate: float, jitter: float) -> None:
    feature_map = FeatureMap(CMU_EXPMAP, tuple(range(1, 31)))
    fine = recording_features(feature_map, *analytic(120.0), 30.0)
    other = recording_features(feature_map, *analytic(rate, jitter=jitter), 30.0)
    shared = min(len(fine), len(other))
    assert shared >= 118
    difference = np.abs(fine[:shared] - other[:shared])
    # speeds are differences: there an error of interpolation counts thirty times
    assert difference[:, :-6].max() < 0.01
    assert difference[:, -6:].max() < 0.1 * np.abs(fine[:, -6:]).max()


def test_every_fourth_frame_of_120_hz_is_exactly_30_hz() -> None:
    recording = perform([("walk", 3.0)], seed=2).recording
    feature_map = FeatureMap(recording.skeleton, moving_joints(recording.skeleton, [recording.frames]))
    resampled = recording_features(feature_map, recording.frames, recording.timestamps_us, 30.0)
    poses = feature_map.pose(recording.frames[::4])
    own = feature_map.features(poses, 1 / 30.0)
    assert np.array_equal(resampled, own)
