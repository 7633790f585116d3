"""The schedule of staggered slots against slots that are filled frame by frame, and that of a state that runs on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_server.session.steps import step_of

NOTHING = np.zeros(1, np.float32)


@given(st.integers(1, 12), st.integers(1, 8), st.integers(1, 150))
def test_a_decoded_slot_has_seen_exactly_the_last_frames(slots: int, stride: int, frames: int) -> None:
    window = slots * stride
    seen: list[list[int]] = [[] for _ in range(slots)]
    for index in range(frames):
        step = step_of(NOTHING, index, window, stride)
        if step.restart:
            seen = [[] for _ in range(slots)]
        if step.slot_restart >= 0:
            seen[step.slot_restart] = []
        for slot in seen:
            slot.append(index)
        if step.decode_slot >= 0:
            length = min(window, index + 1)
            assert seen[step.decode_slot] == list(range(index + 1 - length, index + 1))
        assert (step.decode_slot >= 0) == ((index + 1) % stride == 0)


@given(st.integers(1, 12), st.integers(1, 8), st.integers(0, 500))
def test_a_slot_begins_anew_with_the_frame_after_its_window(slots: int, stride: int, index: int) -> None:
    before, after = (step_of(NOTHING, i, slots * stride, stride) for i in (index, index + 1))
    assert after.slot_restart == before.decode_slot
    assert before.index == index
    assert not after.restart


@pytest.mark.parametrize("stride", [1, 4])
def test_only_the_first_frame_restarts_all_slots(stride: int) -> None:
    steps = [step_of(NOTHING, index, 8, stride) for index in range(40)]
    assert [step.index for step in steps if step.restart] == [0]
    assert steps[0].slot_restart == -1
    assert steps[0].features is NOTHING


@given(st.integers(1, 8), st.integers(0, 500))
def test_a_state_that_runs_on_restarts_at_the_first_frame_alone(stride: int, index: int) -> None:
    step = step_of(NOTHING, index, None, stride)
    assert (step.restart, step.slot_restart) == (index == 0, -1)
    assert step.decode_slot == (0 if (index + 1) % stride == 0 else -1)
