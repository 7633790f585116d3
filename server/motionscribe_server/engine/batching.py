"""Whose turn it is: which streams are computed together, and how far each of them goes. Pure functions."""

from collections import deque
from collections.abc import Sequence

from motionscribe_server.session.steps import Step

MOST_STEPS = 16
"""Steps after which the turn of a stream ends at the next restart, since whoever shares the turn waits for it. Where no
gaps are it ends with its window."""


def choose(due: int, batch_sizes: Sequence[int]) -> int:
    """How many of `due` waiting streams, the oldest, an engine computes that pads to one of `batch_sizes` (ascending).

    A batch is padded by no more rows than it has; where it would be, it is cut at the largest size that it fills.
    """
    fitting = next((size for size in batch_sizes if size >= due), None)
    if fitting is not None and fitting <= 2 * due:
        return due
    # where even the smallest size is too large there is no better cut
    return max((size for size in batch_sizes if size <= due), default=due)


def take(steps: deque[Step], windows: int = 1, most: int | None = None) -> list[Step]:
    """Takes the oldest of some steps: up to the one that completes the `windows`-th window, or the last one there is.

    No window before a restart is passed over for one after it. Where none is complete, all steps are taken, or those
    before the first restart after MOST_STEPS. `most` is the greatest number of steps, where there is one.
    """
    beyond = complete = count = 0
    for count, step in enumerate(steps):
        if step.restart and (complete or count >= MOST_STEPS):
            break
        if step.decode_slot >= 0:
            beyond, complete = count + 1, complete + 1
            if complete == windows:
                break
    else:
        count = len(steps)
    taken = beyond or count
    return [steps.popleft() for _ in range(taken if most is None else min(taken, most))]
