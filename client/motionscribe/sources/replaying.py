"""How takes are sent again: at the pace in which they came, with the sender's own times, as they were.

In: takes of persons in one feed. Out: a Track for sending.play, whose actors are their frames, all of them.
"""

from collections.abc import Sequence

from motionscribe.sources.sending import Track
from motionscribe_models.recordings.take import Take


def track_of(takes: Sequence[Take]) -> Track:
    """Frames that came at the same time with the same time of the sender's are of one moment."""
    arrived = [take.arrived_us.tolist() for take in takes]
    times = [take.times_us.tolist() for take in takes]
    next_row = [0] * len(takes)
    leave_us, times_us, rows = [], [], []
    while left := [n for n, row in enumerate(next_row) if row < len(arrived[n])]:
        moment = min((arrived[n][next_row[n]], n, times[n][next_row[n]]) for n in left)
        now_us, _, time_us = moment
        there = {n for n in left if (arrived[n][next_row[n]], times[n][next_row[n]]) == (now_us, time_us)}
        leave_us.append(now_us)
        times_us.append(time_us)
        rows.append([row if n in there else None for n, row in enumerate(next_row)])
        next_row = [row + (n in there) for n, row in enumerate(next_row)]
    return Track(leave_us, times_us, rows)
