"""The state of a part of a session: nested dicts and lists of plain values and arrays, checked and copied."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


def through_plain(state: Any) -> Any:
    """A copy that has lost whatever is no plain value and no array of numbers; fails where there was such a thing."""
    match state:
        case dict():
            assert all(type(key) is str for key in state)
            return {key: through_plain(value) for key, value in state.items()}
        case list():
            return [through_plain(value) for value in state]
        case np.ndarray():
            assert state.dtype.kind in "biuf"
            return state.copy()
    assert type(state) in (bool, int, float, str, type(None)), f"expected a plain value, got {type(state)}"
    return json.loads(json.dumps(state))


def same(one: Any, other: Any) -> bool:
    """True for two states that are equal to the bit."""
    match one:
        case dict():
            return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
        case list():
            return len(one) == len(other) and all(same(*pair) for pair in zip(one, other, strict=True))
        case np.ndarray():
            return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    return type(one) is type(other) and repr(one) == repr(other)


@contextmanager
def going_on(one: Any, other: Any) -> Iterator[None]:
    """`other` goes on from the state of `one`, which at the end is what it was: it is shared with nobody."""
    state = through_plain(one.state())
    kept = through_plain(state)
    other.restore(state)
    yield
    assert same(state, kept), "it shares nothing with its state"
