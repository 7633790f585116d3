"""The battery for every anomaly score: arrays as named, deterministic, nothing kept or changed, bounded, restorable."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.anomaly_moments import moments, noise
from tests.support.plain_state import same, through_plain

from motionscribe_server.session.anomaly.observation import Observation
from motionscribe_server.session.anomaly.score import Score
from motionscribe_server.session.anomaly.table import SCORES

NORMAL = [moments(*noise(300, seed)) for seed in range(3)]
every_score = pytest.mark.parametrize("kind", SCORES.values(), ids=SCORES)


def fresh(kind: type[Score]) -> Score:
    return kind(kind.fit(NORMAL))


def bits(score: float | None) -> str:
    return "none" if score is None else score.hex()


def test_names_and_arrays_are_their_own() -> None:
    assert all(kind.name == name for name, kind in SCORES.items())
    names = [array for kind in SCORES.values() for array in kind.arrays]
    assert len(set(names)) == len(names)
    for kind in SCORES.values():
        assert all(f"{array}.".startswith(f"anomaly.{kind.name}.") for array in kind.arrays)


@every_score
def test_fit_gives_the_arrays_that_it_names(kind: type[Score]) -> None:
    arrays = kind.fit(NORMAL)
    assert arrays.keys() == kind.arrays.keys()
    for name, shape in kind.arrays.items():
        assert arrays[name].dtype.kind in "fiu"
        assert len(arrays[name].shape) == len(shape)
        assert all(want in (None, got) for want, got in zip(shape, arrays[name].shape, strict=True))
        assert np.isfinite(arrays[name]).all()
        assert arrays[name].tobytes() == kind.fit(NORMAL)[name].tobytes()


@every_score
def test_normal_motion_scores_about_nought_with_a_spread_of_about_one(kind: type[Score]) -> None:
    score, found = fresh(kind), list[float]()
    for observation in moments(*noise(2000, 9)):
        value = score.update(observation)
        found += [] if value is None else [value]
    assert len(found) > 1900
    assert abs(np.median(found)) < 0.5
    assert 0.3 < np.std(found) < 1.5


@every_score
def test_a_score_neither_keeps_nor_changes_what_it_sees(kind: type[Score]) -> None:
    kept, reused = fresh(kind), fresh(kind)
    arrays = kind.fit(NORMAL)
    shared = kind(arrays)
    for observation in moments(*noise(100, 4)):
        frames, error = observation.frames.copy(), observation.forecast_error.copy()
        copy = Observation(span=observation.span, frames=frames, residual=observation.residual, forecast_error=error)
        expected = bits(kept.update(observation))
        assert bits(reused.update(copy)) == expected
        assert np.array_equal(frames, observation.frames)
        assert np.array_equal(error, observation.forecast_error)
        frames[:], error[:] = 7.0, 7.0
        assert bits(shared.update(observation)) == expected
    assert all(np.array_equal(arrays[name], kind.fit(NORMAL)[name]) for name in arrays), "streams share them"


@every_score
@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 99), before=st.integers(0, 60), gap=st.booleans(), after=st.integers(0, 60))
def test_a_score_restored_at_any_moment_goes_on_to_the_bit(
    kind: type[Score], seed: int, before: int, gap: bool, after: int
) -> None:
    story = moments(*noise(before + after + 1, seed))
    calm, again = fresh(kind), fresh(kind)
    again.update(story[0])  # what it held before does not matter
    for observation in story[:before]:
        calm.update(observation)
    if gap:
        calm.restart()
    kept = calm.state()
    state = through_plain(kept)
    again.restore(state)
    for observation in story[before:]:
        assert bits(again.update(observation)) == bits(calm.update(observation))
    assert same(again.state(), calm.state())
    assert same(through_plain(kept), through_plain(state)), "neither shares anything with its state"


@every_score
def test_a_restart_leaves_nothing_of_before(kind: type[Score]) -> None:
    score, other = fresh(kind), fresh(kind)
    for observation in NORMAL[0]:
        score.update(observation)
    score.restart()
    assert [bits(score.update(o)) for o in NORMAL[1]] == [bits(other.update(o)) for o in NORMAL[1]]


@every_score
def test_memory_is_bounded(kind: type[Score]) -> None:
    score, sizes = fresh(kind), list[int]()
    for _ in range(3):
        for observation in NORMAL[0] + NORMAL[1]:
            score.update(observation)
        sizes.append(len(pickle.dumps(score.state())))
    assert sizes[2] <= sizes[1] + 100
