"""Checked copies of points that a clusterer may learn. Raises ClusterError for values not finite or of another form."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from motionscribe_server.session.clustering.state import ClusterError


def point_of(x: ArrayLike, dimensions: int) -> NDArray[np.float64]:
    """One point (d,)."""
    point = np.array(x, np.float64)
    if point.shape != (dimensions,):
        raise ClusterError(f"expected a point ({dimensions},), got shape {point.shape}")
    if not np.isfinite(point).all():
        at = int(np.flatnonzero(~np.isfinite(point))[0])
        raise ClusterError(f"expected a finite point, got {point[at]} at position {at}")
    return point


def points_of(X: ArrayLike, dimensions: int) -> NDArray[np.float64]:
    """Points (n,d)."""
    points = np.array(X, np.float64)
    if points.ndim != 2 or points.shape[1] != dimensions:
        raise ClusterError(f"expected points (n, {dimensions}), got shape {points.shape}")
    if not np.isfinite(points).all():
        raise ClusterError(f"expected finite points, got {points[~np.isfinite(points)][0]} among them")
    return points
