"""What an Open leads to, and which stream makes room for it, as tables and as rules for any values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_server.errors import ExhaustedError
from motionscribe_server.stream_keys import key_of, tenant_of
from motionscribe_server.streams.admission import Admission, Incumbent, Place, admit, choose_eviction

OWN = Incumbent(has_owner=True, is_given_up=False, token_matches=True)
OWN_LOST = Incumbent(has_owner=False, is_given_up=False, token_matches=True)
OWN_FAILED = Incumbent(has_owner=False, is_given_up=True, token_matches=True)
OTHERS = Incumbent(has_owner=True, is_given_up=False, token_matches=False)
OTHERS_LOST = Incumbent(has_owner=False, is_given_up=False, token_matches=False)
OTHERS_FAILED = Incumbent(has_owner=True, is_given_up=True, token_matches=False)

A = Admission


@pytest.mark.parametrize(
    ("incumbent", "unknown", "no_checkpoint", "checkpoint"),
    [
        (None, A.LOOK_UP, A.CREATE, A.RESTORE),
        (OWN, A.RESUME, A.RESUME, A.RESUME),
        (OWN_LOST, A.RESUME, A.RESUME, A.RESUME),
        (OWN_FAILED, A.LOOK_UP, A.CREATE, A.RESTORE),
        (OTHERS, A.LOOK_UP, A.REFUSE_IN_USE, A.RESTORE),
        (OTHERS_LOST, A.LOOK_UP, A.CREATE, A.RESTORE),
        (OTHERS_FAILED, A.LOOK_UP, A.CREATE, A.RESTORE),
    ],
)
def test_an_open_is_admitted_as(
    incumbent: Incumbent | None, unknown: Admission, no_checkpoint: Admission, checkpoint: Admission
) -> None:
    assert admit(False, incumbent, None) is unknown
    assert admit(False, incumbent, False) is no_checkpoint
    assert admit(False, incumbent, True) is checkpoint
    for known in (None, False, True):
        assert admit(True, incumbent, known) is A.REFUSE_DRAINING


@given(st.none() | st.builds(Incumbent, st.booleans(), st.booleans(), st.booleans()), st.booleans())
def test_nobody_loses_a_live_stream_to_an_open_without_its_token(incumbent: Incumbent | None, kept: bool) -> None:
    admission = admit(False, incumbent, kept)
    assert admission is not A.LOOK_UP, "once it was looked up, it is decided"
    if incumbent and incumbent.has_owner and not incumbent.is_given_up and not incumbent.token_matches:
        assert admission is (A.RESTORE if kept else A.REFUSE_IN_USE)
    if admission is A.RESUME:
        assert incumbent
        assert incumbent.token_matches
        assert not incumbent.is_given_up


def lost(key: str, left_at: float, is_in_use: bool = False) -> Place:
    """Of a stream without an owner."""
    return Place(key, left_at, is_in_use)


def live(key: str) -> Place:
    """Of a stream with an owner."""
    return Place(key, None, False)


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], None),
        ([live("a"), lost("b", 1.0)], None),
        ([live("a"), live("new"), lost("b", 1.0)], None),  # its own place counts for nothing
        ([live("a"), lost("b", 2.0), lost("c", 1.0)], "c"),
        ([live("a"), lost("b", 2.0), lost("c", 1.0, is_in_use=True)], "b"),
        ([live("a"), live("b"), lost("c", 1.0, is_in_use=True)], "c"),
        ([live("a"), lost("x/b", 1.0), lost("c", 2.0)], "c"),
        ([live("a"), live("b"), live("c")], ExhaustedError),
        ([live("a"), live("b"), lost("x/c", 1.0)], ExhaustedError),
    ],
)
def test_who_makes_room_where_three_may_be(places: list[Place], expected: object) -> None:
    if expected is ExhaustedError:
        with pytest.raises(ExhaustedError, match="expected at most 3 live streams, got one more"):
            choose_eviction("new", places, 0, 3)
    else:
        victim = choose_eviction("new", places, 0, 3)
        assert (victim and victim.key) == expected


def test_a_tenant_has_a_limit_of_its_own() -> None:
    places = [live("x/a"), lost("x/b", 1.0), live("y/c")]
    victim = choose_eviction("x/new", places, 2, 100)
    assert victim
    assert victim.key == "x/b"
    assert choose_eviction("y/new", places, 2, 100) is None
    with pytest.raises(ExhaustedError, match="expected at most 1 live streams"):
        choose_eviction("y/new", places, 1, 100)


@given(
    st.lists(
        st.builds(
            Place,
            st.builds(key_of, st.sampled_from(["", "x", "y"]), st.sampled_from("abcdef")),
            st.none() | st.floats(0, 9),
            st.booleans(),
        ),
        unique_by=lambda place: place.key,
    ),
    st.integers(0, 4),
    st.integers(1, 8),
)
def test_an_eviction_is_needed_allowed_and_the_oldest(places: list[Place], tenant_limit: int, limit: int) -> None:
    others = [place for place in places if place.key != "x/a"]
    own = [place for place in others if tenant_of(place.key) == "x"]
    is_full = len(others) >= limit or (tenant_limit > 0 and len(own) >= tenant_limit)
    try:
        victim = choose_eviction("x/a", places, tenant_limit, limit)
    except ExhaustedError:
        assert is_full
        assert all(place.left_at is None for place in own)
        return
    assert (victim is not None) == is_full
    if victim:
        assert victim in own
        assert victim.left_at is not None
        for place in own:
            if place.left_at is not None and place.is_in_use <= victim.is_in_use:
                assert victim.left_at <= place.left_at or place.is_in_use < victim.is_in_use
        assert not victim.is_in_use or all(place.is_in_use for place in own if place.left_at is not None)
