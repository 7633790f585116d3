"""The clusters of a stream as bytes, for the SQLite file: msgpack of a map each, to the bit."""

from collections.abc import Sequence

import msgpack
import numpy as np

from motionscribe_server.session.clustering import ClusterState

CENTRE = np.dtype("<f8")


def pack_clusters(clusters: Sequence[ClusterState]) -> bytes:
    """Fields by name, in the order of the clusters."""
    packed: bytes = msgpack.packb([{**vars(c), "centre": c.centre.astype(CENTRE).tobytes()} for c in clusters])
    return packed


def unpack_clusters(data: bytes) -> tuple[ClusterState, ...]:
    """What `pack_clusters` made."""
    found = msgpack.unpackb(data)
    return tuple(ClusterState(**{**fields, "centre": np.frombuffer(fields["centre"], CENTRE)}) for fields in found)
