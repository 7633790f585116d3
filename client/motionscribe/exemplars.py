"""What clusters look like, and where they lie, as a server says it. Frozen values."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.codec import WIRE_FLOAT, skeleton_from_message
from motionscribe_proto.frames import WireError


@dataclass(frozen=True, eq=False)
class Exemplar:
    """A short clip of a cluster's motion: somebody on the spot, neither where they were nor how tall."""

    start_us: int | None
    """When its segment began; None for one of the recordings that the model learnt from."""
    frames: NDArray[np.float32]
    """(K, D) columns of the skeleton; NaN where the model does not know a joint. Read-only."""


@dataclass(frozen=True, eq=False)
class Exemplars:
    """The clips of a cluster, those of the segments nearest to its centre first, then the newest."""

    skeleton: Skeleton
    """The model's."""
    rate_hz: float
    """Frames a second of the clips."""
    clips: tuple[Exemplar, ...]
    """May be none."""


@dataclass(frozen=True, eq=False)
class ClusterMap:
    """The plane in which the model's own clusters lie farthest apart, in the units of the embedding."""

    clusters: tuple[int, ...]
    """(c,) the cluster of each centre; one that others are part of has several."""
    places: Array
    """(c, 2)"""
    trail: Array
    """(l, 2) where the newest moments lie, the newest last."""
    end_us: int
    """End of the newest moment, microseconds of the source's clock."""
    moment_us: int
    """From one moment to the next."""
    radius: float
    """How far the segments of one cluster are apart."""


def exemplars_from_message(message: pb.ListExemplarsResponse) -> Exemplars:
    """Raises WireError for a skeleton that is none, or values that are not as many for each frame."""
    skeleton = skeleton_from_message(message.skeleton)
    width = WIRE_FLOAT.itemsize * len(skeleton.columns)
    clips = []
    for clip in message.exemplars:
        if not clip.values or len(clip.values) % width:
            raise WireError(f"expected float32 for {len(skeleton.columns)} columns, got {len(clip.values)} bytes")
        values = np.frombuffer(clip.values, WIRE_FLOAT).astype(np.float32, copy=False)
        start_us = clip.start_us if clip.HasField("start_us") else None
        clips.append(Exemplar(start_us, values.reshape(-1, len(skeleton.columns))))
    return Exemplars(skeleton, message.rate_hz, tuple(clips))


def map_from_message(message: pb.ClusterMap) -> ClusterMap:
    """Raises WireError for a trail of unequal length."""
    x, y = list(message.trail_x), list(message.trail_y)
    if len(x) != len(y):
        raise WireError(f"expected x and y of each moment, got {len(x)} and {len(y)}")
    return ClusterMap(
        clusters=tuple(one.cluster for one in message.clusters),
        places=np.array([(one.x, one.y) for one in message.clusters]).reshape(-1, 2),
        trail=np.array([x, y]).T,
        end_us=message.end_us,
        moment_us=message.moment_us,
        radius=message.radius,
    )
