"""What happens after a feed has ended: whether it begins anew, and when. Pure: no clock here."""

from typing import Literal, get_args

Restart = Literal["always", "on-failure", "never"]
RESTARTS: tuple[Restart, ...] = get_args(Restart)

FIRST_S = 1.0
LONGEST_S = 60.0
HEALTHY_S = 60.0
"""A feed that ran for so long was well: what comes next is a new trouble."""


def next_wait_s(restart: Restart, *, failed: bool, ran_s: float, waited_s: float) -> float | None:
    """Seconds before the feed begins anew, None where it does not.

    `ran_s` is how long it ran, `waited_s` how long it waited before that, 0 for the first time.
    """
    if restart == "never" or (restart == "on-failure" and not failed):
        return None
    if waited_s == 0 or ran_s >= HEALTHY_S:
        return FIRST_S
    return min(2 * waited_s, LONGEST_S)
