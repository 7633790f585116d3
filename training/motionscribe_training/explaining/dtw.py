"""Distances between segments of different length and tempo: dynamic time warping of short windows.

In: N segments, rows (k, w) each, and how many rows a window and the hop to the next one have. Out: (N, N) distances,
symmetric, in units of the rows: 0 for the same motion at another tempo. They are no metric.

Two windows are as far apart as the root of the mean square of their differences: the Euclidean distance over the root
of its width. A path pairs the windows of two segments from both first to both last ones; each step goes on in one of
them, or in both and then counts twice, as does the first pair. So the counts of any path between c and d windows add
up to c + d, which is its length; the distance is the least sum over all paths, divided by it. (Sakoe and Chiba, 1978,
doi 10.1109/tassp.1978.1163055, the symmetric form: it is the mean along the path that is least, and no tie between
paths can change it.)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array, Single

WINDOW = 8
"""Frames in a window: 0.27 s at 30 Hz (issue 21, after Das, Shekkizhar and Ortega, arXiv 2312.07777)."""
HOP = 4
"""Frames from one window to the next."""


def window_rows(frames_per_row: float) -> tuple[int, int]:
    """Rows of a window and of a hop that last about as long as WINDOW and HOP; a window is a whole number of hops."""
    hop = max(1, round(HOP / frames_per_row))
    return hop * max(1, round(WINDOW / (hop * frames_per_row))), hop


def dtw_distances(segments: Sequence[Single], window: int, hop: int) -> Array:
    """(N, N). Rows behind the last whole hop are left out; a segment shorter than a window repeats its last row.

    Raises ValueError for a segment without rows, and for a window that is no whole number of hops.
    """
    if window % hop:
        raise ValueError(f"expected a window of a whole number of hops, got {window} rows and hops of {hop}")
    cut = [_hops(rows, window, hop) for rows in segments]
    # long segments first: those behind one of them are no longer than it, so that little is padded
    order = np.argsort([-len(rows) for rows in cut], kind="stable")
    cut = [cut[n] for n in order]
    starts = np.cumsum([0, *map(len, cut)])
    counts = np.diff(starts) - window // hop + 1
    rows = np.concatenate(cut)  # (r, hop * w)
    rows -= rows.mean(axis=0)  # far from the origin, the squared norms below would cancel
    norms = np.einsum("ij,ij->i", rows, rows)
    distances = np.zeros((len(cut), len(cut)))
    for n in range(len(cut) - 1):
        own, others = slice(starts[n], starts[n + 1]), slice(starts[n + 1], None)
        squares = norms[own, None] + norms[others] - 2 * rows[own] @ rows[others].T
        # windows share hops with their neighbours, so that each pair of hops is multiplied once only
        summed = sum(
            squares[t : t + counts[n], t : squares.shape[1] - window // hop + 1 + t] for t in range(window // hop)
        )
        apart = np.sqrt(np.maximum(summed, 0) / (rows.shape[1] * (window // hop)))
        distances[n, n + 1 :] = _align(apart, starts[n + 1 : -1] - starts[n + 1], counts[n + 1 :])
    unsorted = np.empty_like(distances)
    unsorted[np.ix_(order, order)] = distances + distances.T
    return unsorted


def _hops(rows: Single, window: int, hop: int) -> Array:
    """(c, hop * w), enough for at least one window."""
    if not len(rows):
        raise ValueError("expected segments of at least one row, got an empty one")
    long = np.concatenate([rows, np.repeat(rows[-1:], max(0, window - len(rows)), axis=0)])
    count = len(long) // hop
    return long[: count * hop].reshape(count, -1).astype(np.float64)


def _align(apart: Array, starts: NDArray[np.int64], counts: NDArray[np.int64]) -> Array:
    """(B,) distances of one segment to B others, all at once, one anti-diagonal of pairs after the other.

    `apart` (c, r) are distances of its windows to all others; those of another begin at its start, and are its count.
    """
    own, longest = len(apart), max(2, int(counts.max()))
    # beyond its end, another repeats its last window; what is computed there is never read
    columns = starts + np.minimum(np.arange(longest)[:, None], counts - 1)  # (longest, B)
    pairs = apart[:, columns].reshape(own * longest, -1)  # (c * longest, B)
    # a row for each window of the one segment, below a row that no path enters: sums at one and two diagonals before
    shape = (own + 1, len(counts))
    before, last, now = np.full(shape, np.inf), np.full(shape, np.inf), np.full(shape, np.inf)
    last[1] = 2 * pairs[0]
    reached = np.empty((own + longest - 1, len(counts)))
    reached[0] = last[own]
    for diagonal in range(1, own + longest - 1):
        first, end = max(0, diagonal - longest + 1), min(own, diagonal + 1)
        # pair (i, diagonal - i) is row i * longest + diagonal - i
        step = longest - 1
        apart_here = pairs[diagonal + first * step : diagonal + (end - 1) * step + 1 : step]
        here, above, sums = slice(first + 1, end + 1), slice(first, end), now[first + 1 : end + 1]
        np.add(before[above], apart_here, out=sums)
        np.minimum(sums, last[above], out=sums)
        np.minimum(sums, last[here], out=sums)
        sums += apart_here
        reached[diagonal] = now[own]
        before, last, now = last, now, before
    found: Array = reached[own + counts - 2, np.arange(len(counts))] / (own + counts)
    return found
