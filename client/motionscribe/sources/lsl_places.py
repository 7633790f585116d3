"""Samples of channels that are places of joints, as frames of a skeleton. Pure: no network, no clock."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motionscribe.sources.gate import measured_hz
from motionscribe.sources.moments import ANY_RATE_HZ
from motionscribe_models.recordings.channels import PlaceChannels
from motionscribe_models.recordings.keypoints import Keypoints, keypoint_frames, keypoint_skeleton
from motionscribe_models.recordings.spaces import believable
from motionscribe_models.skeleton import Skeleton


def frames_of(channels: PlaceChannels, samples: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Samples (n, C) as values (n, D), NaN for a joint that was not seen, and confidences (n, J), if they are sent."""
    return keypoint_frames(_keypoints(channels, samples))


def skeleton_of(
    channels: PlaceChannels, samples: NDArray[Any], times_us: NDArray[np.int64], rate_hz: float
) -> tuple[Skeleton, tuple[str, ...]]:
    """The skeleton, by the first samples, and what was decided. Where `rate_hz` is none, the times tell the rate."""
    found = _keypoints(channels, samples)
    space = channels.space(found)
    known = 0 < rate_hz < math.inf
    rate = rate_hz if known else measured_hz(times_us.tolist()) or ANY_RATE_HZ
    return keypoint_skeleton("lsl", found, space, rate), space.notes


def _keypoints(channels: PlaceChannels, samples: NDArray[Any]) -> Keypoints:
    return channels.keypoints(believable(samples.astype(np.float64)))
