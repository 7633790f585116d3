"""Blind offline: the whole recording is visible, no boundary is given, all that is learnt comes from other recordings.

In: the segments of a recording (fit.partition, by the server's own segmenter). Out: a label for each moment, by average
linkage of the segments' means.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage

from motionscribe_server.session.segmenter import Hypothesis


def link(segments: list[Hypothesis], *, radius: float = 0.0, number: int = 0) -> NDArray[np.int64]:
    """Labels (n,) of the moments of `segments`; clusters within `radius`, or a given `number` of them."""
    means = np.array([segment.mean for segment in segments])
    if len(means) == 1:
        groups = np.ones(1, int)
    elif number:
        groups = fcluster(linkage(means, "average"), number, "maxclust")
    else:
        groups = fcluster(linkage(means, "average"), radius, "distance")
    return np.repeat(groups, [segment.end - segment.start for segment in segments]).astype(np.int64)
