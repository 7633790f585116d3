"""Faults that are not possible."""

import numpy as np
import pytest

from motionscribe.demo.performer import perform
from motionscribe_models.body.mapping import mapped
from motionscribe_models.skeleton import Skeleton
from motionscribe_training.errors import TrainingError
from motionscribe_training.faults.inject import candidates, inject
from motionscribe_training.faults.kind import Kind

ROTATIONS = perform([("walk", 6.0)], rate_hz=60.0).recording
BODY = mapped(ROTATIONS)


@pytest.mark.parametrize(
    ("kind", "start", "end", "joint", "said"),
    [
        ("dance", 0, 9, None, "expected a kind of fault, swap, .*frozen feed, got 'dance'"),
        (Kind.JUMP, 9, 9, None, "expected a span of frames in 0 to 360, got 9 to 9"),
        (Kind.JUMP, -1, 9, None, "got -1 to 9"),
        (Kind.JUMP, 0, 361, None, "got 0 to 361"),
        (Kind.JUMP, 0, 9, "tail", "expected a joint for jump of left_shoulder, .*got 'tail'"),
        (Kind.LIMP, 0, 9, "left_shoulder", "expected a joint for limp of left_hip, right_hip, got 'left_shoulder'"),
        (Kind.FROZEN_FEED, 0, 9, "head", "expected no joint for frozen feed, which stops all of them, got 'head'"),
    ],
)
def test_what_is_not_possible(kind: Kind, start: int, end: int, joint: str | None, said: str) -> None:
    with pytest.raises(TrainingError, match=said):
        inject(BODY, kind, start, end, np.random.default_rng(0), joint)


def test_layouts_without_a_body() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(TrainingError, match="expected places for zeros, got rotations: take dropout"):
        inject(ROTATIONS, Kind.ZEROS, 0, 9, rng)
    quaternions = Skeleton("suit", ("a",), (-1,), "quaternion", "m", 1.0, "y", 60.0)
    with pytest.raises(TrainingError, match="suit: expected a representation of expmap, positions, body, got quat"):
        candidates(quaternions, Kind.JUMP)
    hand = Skeleton("hand", ("thumb", "palm"), (-1, -1), "positions", "m", 1.0, "y", 60.0)
    with pytest.raises(
        TrainingError, match=r"hand: expected a joint for each of left_shoulder, .*got none for left_sho"
    ):
        candidates(hand, Kind.JUMP)
