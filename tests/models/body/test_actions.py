"""Rules of what a body plainly does, on bodies that the performer acts."""

import numpy as np
import pytest
from numpy.typing import NDArray

from motionscribe.demo.performer import perform
from motionscribe_models.body import follow
from motionscribe_models.body.actions import action_of
from motionscribe_models.body.mapping import mapped

RATE = 30.0


def features(action: str, seed: int) -> NDArray[np.float64]:
    """(n, 44) of four seconds, but for the first."""
    frames = mapped(perform([(action, 5.0)], seed=seed).recording).frames[::4]
    memory = follow.begin()[None].copy()
    rows = []
    for frame in frames:
        places = frame[None, :-1].reshape(1, -1, 3)[:, 2:].astype(np.float64)
        rows.append(follow.step(memory, places, np.array([True]), 1 / RATE)[0])
    return np.array(rows[30:])


@pytest.mark.parametrize("seed", range(4))
def test_a_walk_is_one_in_nearly_every_second(seed: int) -> None:
    walk = features("walk", seed)
    found = [action_of(walk[start : start + 30]) for start in range(0, len(walk) - 30, 3)]
    assert found.count("walk") >= 0.9 * len(found)


LEFT_ANKLE, RIGHT_ANKLE, UPWARDS, FORWARDS = 35, 38, 41, 42
"""Columns: how far the ankles are to the front, and the pelvis' velocity."""


@pytest.mark.parametrize("change", ["backwards", "on the spot", "with both feet", "with flight"])
def test_what_is_not_plainly_a_walk_is_none(change: str) -> None:
    walk = features("walk", 0)[:30]
    assert action_of(walk) == "walk"
    if change == "backwards":
        walk[:, FORWARDS] *= -1
    elif change == "on the spot":
        walk[:, FORWARDS] = 0
    elif change == "with both feet":
        walk[:, LEFT_ANKLE] = walk[:, RIGHT_ANKLE]
    else:
        walk[:, UPWARDS] = 0.25 * np.sin(np.arange(30))
    assert action_of(walk) == ""
