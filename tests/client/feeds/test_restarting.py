"""Policies of restarts: a pure function, whose clock is its arguments."""

from itertools import pairwise

import pytest

from motionscribe.feeds.restarting import FIRST_S, HEALTHY_S, LONGEST_S, Restart, next_wait_s


@pytest.mark.parametrize(
    ("restart", "failed", "begins"),
    [
        ("always", True, True),
        ("always", False, True),
        ("on-failure", True, True),
        ("on-failure", False, False),
        ("never", True, False),
        ("never", False, False),
    ],
)
def test_which_ends_are_followed_by_a_beginning(restart: Restart, failed: bool, begins: bool) -> None:
    assert (next_wait_s(restart, failed=failed, ran_s=0, waited_s=0) is not None) == begins


def test_waits_double_up_to_a_minute_and_begin_anew_after_a_minute_of_health() -> None:
    waits, wait_s = [], 0.0
    for ran_s in [0.0, 0.0, 5.0, 59.9, 0.0, 0.0, 0.0, 0.0, 0.0]:
        again = next_wait_s("always", failed=True, ran_s=ran_s, waited_s=wait_s)
        assert again is not None
        waits.append(again)
        wait_s = again
    assert waits[0] == FIRST_S
    assert all(after == min(2 * before, LONGEST_S) for before, after in pairwise(waits))
    assert waits[-1] == LONGEST_S
    assert next_wait_s("always", failed=True, ran_s=HEALTHY_S, waited_s=LONGEST_S) == FIRST_S
