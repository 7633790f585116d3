"""Durations in moments: what follows from a rate, what the trainer was told, and what a manifest then has."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from motionscribe_models.durations import LATENCIES, SEGMENTS, SESSION, session_moments
from motionscribe_models.errors import ModelFolderError
from motionscribe_training.errors import TrainingError
from motionscribe_training.fitting.durations import ALL, Durations


def test_at_the_shipped_rate_a_duration_is_its_seconds() -> None:
    durations = Durations(0.1, {})
    assert {name: durations.exact(name) for name in ALL} == {
        name: pytest.approx(duration.seconds * 10) for name, duration in ALL.items()
    }
    assert durations.exact("penalty") == 7.0  # exactly: the shipped model's


def test_at_one_hertz_a_duration_is_its_floor_or_longer() -> None:
    durations = Durations(1.0, {})
    assert [durations[lag] for lag in LATENCIES] == [2, 5, 15]
    assert [durations[name] for name in ("shortest", "adult", "edge", "hold")] == [4, 12, 2, 4]
    assert (durations["history"], durations.exact("penalty")) == (300, 10.0)


@given(moment_s=st.floats(1e-3, 1e5))
def test_whatever_the_rate_presets_differ_and_fit_into_the_history(moment_s: float) -> None:
    durations = Durations(moment_s, {})
    waits = [durations[lag] for lag in LATENCIES]
    assert waits == sorted(set(waits))
    assert waits[-1] < durations["history"]
    assert all(durations[name] >= duration.least for name, duration in ALL.items() if name != "penalty")
    assert durations.exact("penalty") >= min(10, 0.7 / moment_s - 1e-9)
    assert durations["shortest"] > durations["edge"] >= 2
    assert durations["adult"] > durations["shortest"]


@given(moment_s=st.floats(1e-4, 100))
def test_a_session_of_any_rate_remembers_a_bounded_number_of_moments(moment_s: float) -> None:
    moments = session_moments({}, moment_s)
    assert max(moments["hold"], moments["history"]) == moments["history"] <= 6000
    assert moments["history"] >= Durations(moment_s, {})["stable"]


@given(name=st.sampled_from(sorted(ALL)), moment_s=st.sampled_from([0.1, 1.0, 60.0]), moments=st.integers(1, 5000))
def test_what_the_trainer_was_told_is_what_a_session_has(name: str, moment_s: float, moments: int) -> None:
    usual = Durations(moment_s, {})
    waits = [*LATENCIES, "history"]
    if name in waits:
        at = waits.index(name)
        assume(all(usual[before] <= moments for before in waits[:at]))
        assume(all(usual[after] >= moments for after in waits[at + 1 :]))
    told = Durations(moment_s, {name: moments * moment_s})
    assert told[name] == moments
    assert {other: told[other] for other in ALL if other != name} == {o: usual[o] for o in ALL if o != name}
    assert session_moments(told.settings(), moment_s) == {other: told[other] for other in SESSION}
    assert {other: told.settings()[other] for other in SEGMENTS} == {other: told[other] for other in SEGMENTS}
    # only what was told is written: the rest goes on following the rate
    assert told.settings().keys() - SEGMENTS.keys() == {name} & SESSION.keys()


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"holt": 1.0}, r"expected the name of a duration \(fast, balanced, .*\), got 'holt'"),
        ({"hold": 0.5}, r"expected hold from 1 s, a moment, to 65536 s, got 0\.5 s"),
        ({"hold": -1.0}, "got -1 s"),
        ({"hold": float("nan")}, "got nan s"),
        ({"history": 1e9}, "to 65536 s, got 1e[+]09 s"),
        ({"fast": 6.0}, "expected fast <= balanced <= stable <= history, got fast 6 s and balanced 5 s"),
        ({"stable": 400.0}, "got stable 400 s and history 300 s"),
    ],
)
def test_what_cannot_be_is_refused(told: dict[str, float], expected: str) -> None:
    with pytest.raises(TrainingError, match=expected):
        Durations(1.0, told)


@pytest.mark.parametrize("value", [0.0, 0.5, -3.0, 1e9])
def test_a_folder_with_a_duration_that_cannot_be_is_refused(value: float) -> None:
    with pytest.raises(ModelFolderError, match="settings: expected hold in whole moments from 1 to 65536, got"):
        session_moments({"hold": value}, 1.0)
