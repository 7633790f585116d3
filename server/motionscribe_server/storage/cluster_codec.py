"""The clusters of a stream as bytes, for the SQLite file: msgpack of a map each, to the bit."""

from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import msgpack
import numpy as np

from motionscribe_server.session.clustering import ClusterState, Exemplar

CENTRE = np.dtype("<f8")


def pack_clusters(clusters: Sequence[ClusterState]) -> bytes:
    """Fields by name, in the order of the clusters."""
    rows = [
        {**vars(c), "centre": c.centre.astype(CENTRE).tobytes(), "exemplars": [astuple(one) for one in c.exemplars]}
        for c in clusters
    ]
    packed: bytes = msgpack.packb(rows)
    return packed


def unpack_clusters(data: bytes) -> tuple[ClusterState, ...]:
    """What `pack_clusters` made."""
    found = msgpack.unpackb(data)
    return tuple(map(_cluster, found))


def _cluster(fields: dict[str, Any]) -> ClusterState:
    """Earlier servers kept no exemplars."""
    exemplars = tuple(Exemplar(*one) for one in fields.get("exemplars", ()))
    return ClusterState(**{**fields, "centre": np.frombuffer(fields["centre"], CENTRE), "exemplars": exemplars})
