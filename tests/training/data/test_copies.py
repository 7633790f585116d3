"""Which recordings show the same motion."""

from motionscribe_training.data.copies import copies_of


def test_copies_come_set_by_set_and_single_actions_last() -> None:
    expected = [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1), (0, 2), (1, 2), (2, 2)]
    assert copies_of(range(9), motions=2, single=1, copies=3) == expected
    assert copies_of([0, 0, 1], motions=1, single=1, copies=1) == [(0, 0), (0, 0), (0, 1)]
