"""Poses of a stream that is watched: pictures of what its owner sends, in the model's layout. Frozen values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import WIRE_FLOAT
from motionscribe_proto.frames import WireError


@dataclass(frozen=True, eq=False)
class Poses:
    """The newest K >= 1 frames; those between two Poses may be missing."""

    first_seq: int
    """Number of the first frame; the others follow by one."""
    timestamps_us: NDArray[np.int64]
    """(K,) microseconds of the source's clock."""
    frames: NDArray[np.float32]
    """(K, D) columns of the stream's `StreamInfo.skeleton`; NaN where a joint was not seen. Read-only."""


def poses_from_message(message: pb.Poses) -> Poses:
    """Raises WireError for no frames, or values that are not as many for each frame."""
    times = np.array(message.timestamps_us, np.int64)
    if len(times) == 0 or not message.values or len(message.values) % (WIRE_FLOAT.itemsize * len(times)):
        raise WireError(f"expected float32 poses for each of {len(times)} times, got {len(message.values)} bytes")
    values = np.frombuffer(message.values, WIRE_FLOAT).astype(np.float32, copy=False)
    return Poses(message.first_seq, times, values.reshape(len(times), -1))
