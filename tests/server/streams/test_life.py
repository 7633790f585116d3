"""The life of a stream as a table: every way through it stays legal, and what is final stays final."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_server.streams.life import TRANSITIONS, Change, Life, LifeError, next_life

WAYS = {
    "sends, closes, reads the rest": ("ATTACH FINISH CLOSE LEAVE GIVE_UP", "LIVE FINISHING CLOSED RETAINED_CLOSED"),
    "is lost and resumed": ("ATTACH LEAVE ATTACH", "LIVE RETAINED LIVE"),
    "is lost after Close": (
        "ATTACH FINISH LEAVE CLOSE ATTACH FINISH",
        "LIVE FINISHING RETAINED_FINISHING RETAINED_CLOSED CLOSED CLOSED",
    ),
    "says Close again after it resumed": (
        "ATTACH FINISH LEAVE ATTACH FINISH",
        "LIVE FINISHING RETAINED_FINISHING FINISHING FINISHING",
    ),
    "fails while it has an owner": ("ATTACH GIVE_UP LEAVE GIVE_UP", "LIVE GIVEN_UP GIVEN_UP GIVEN_UP"),
}


@pytest.mark.parametrize("what", WAYS)
def test_a_stream_that(what: str) -> None:
    changes, lives = (words.split() for words in WAYS[what])
    life = Life.RETAINED
    for change, expected in zip(changes, lives, strict=False):
        life = next_life(life, Change[change])
        assert life is Life[expected]


@pytest.mark.parametrize(
    ("life", "change"),
    [
        (Life.LIVE, Change.ATTACH),
        (Life.RETAINED, Change.LEAVE),
        (Life.RETAINED, Change.FINISH),
        (Life.LIVE, Change.CLOSE),
        (Life.CLOSED, Change.CLOSE),
        (Life.GIVEN_UP, Change.ATTACH),
        (Life.GIVEN_UP, Change.CLOSE),
    ],
)
def test_what_cannot_happen_raises_and_says_what_can(life: Life, change: Change) -> None:
    with pytest.raises(LifeError, match=f"in state {life.name}, got {change.name}"):
        next_life(life, change)


@given(st.lists(st.sampled_from(Change), max_size=30))
def test_any_order_of_changes_leads_to_a_legal_state(changes: list[Change]) -> None:
    life = Life.RETAINED
    for change in changes:
        before = life
        try:
            life = next_life(life, change)
        except LifeError:
            assert (before, change) not in TRANSITIONS
        assert life in Life
        assert before is not Life.GIVEN_UP or life is Life.GIVEN_UP
        assert not before.is_closed or life.is_closed or life is Life.GIVEN_UP
        assert change is not Change.GIVE_UP or life is Life.GIVEN_UP


def test_owners_come_by_attach_alone_and_every_state_can_be_reached() -> None:
    for (before, change), after in TRANSITIONS.items():
        if after.has_owner and not before.has_owner:
            assert change is Change.ATTACH
        if before.has_owner and not after.has_owner:
            assert change in (Change.LEAVE, Change.GIVE_UP)
    reached = {Life.RETAINED}
    for _ in Life:
        reached |= {after for (before, _), after in TRANSITIONS.items() if before in reached}
    assert reached == set(Life)
