"""Slow features find what changes between actions in what also changes within them; students see it coming."""

import numpy as np
import pytest
from scipy.linalg import eigh
from sklearn.linear_model import Ridge

from motionscribe_training.fitting.slow_features import (
    DIMENSIONS,
    REVISIONS,
    RIDGE,
    SHARE,
    Part,
    centred,
    fit_students,
    fit_teacher,
    fit_teachers,
)

LAG = 20


def scenes(seed: int, moments: int = 600) -> tuple[np.ndarray, np.ndarray]:
    """Actions (n, 2) of 60 moments each, and evidence (n, 14) that mixes them with twelve faster, stronger motions."""
    rng = np.random.default_rng(seed)
    slow = np.repeat(rng.normal(size=(moments // 60, 2)), 60, axis=0)
    noise = rng.normal(size=(moments + 4, 12))
    fast = np.mean([noise[k : k + moments] for k in range(5)], axis=0) * 4.0
    mixing, _ = np.linalg.qr(np.random.default_rng(99).normal(size=(14, 14)))
    return slow, np.hstack([slow, fast]) @ mixing + 5.0


@pytest.fixture(scope="module")
def recordings() -> list[tuple[np.ndarray, np.ndarray]]:
    return [scenes(seed) for seed in range(4)]


def explained(target: np.ndarray, embedding: np.ndarray) -> float:
    """Share of the variance of `target` (n, 2) that a linear map of `embedding` (n, d) explains."""
    x, y = embedding - embedding.mean(axis=0), target - target.mean(axis=0)
    left = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return 1.0 - float(left.var() / y.var())


def test_the_first_directions_are_the_actions(recordings: list[tuple[np.ndarray, np.ndarray]]) -> None:
    teacher = fit_teacher([evidence for _, evidence in recordings], LAG)
    slow, evidence = scenes(17)  # one that it has not seen
    assert explained(slow, teacher.embed(evidence)[:, :2]) > 0.9
    assert explained(slow, teacher.embed(evidence)[:, 2:]) < 0.2
    # principal components, for which strong is what counts, do not see them
    about = evidence - evidence.mean(axis=0)
    strong = about @ np.linalg.svd(about, full_matrices=False)[2][:2].T
    assert explained(slow, strong) < 0.5


def test_an_embedding_varies_by_one_in_all_about_each_recordings_mean(
    recordings: list[tuple[np.ndarray, np.ndarray]],
) -> None:
    teacher = fit_teacher([evidence + 100.0 * k for k, (_, evidence) in enumerate(recordings)], LAG)
    embedded = [teacher.embed(evidence + 100.0 * k) for k, (_, evidence) in enumerate(recordings)]
    about = np.vstack([e - e.mean(axis=0) for e in embedded])
    assert teacher.directions.shape == (14, DIMENSIONS)
    assert about.var(axis=0).sum() == pytest.approx(1.0)
    assert np.vstack(embedded).mean(axis=0) == pytest.approx(0.0, abs=1e-9)


def test_the_directions_solve_the_eigenvalue_problem(recordings: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Against the covariances written out; a short recording has no differences but counts for the rest."""
    parts = [evidence for _, evidence in recordings] + [scenes(8)[1][: LAG - 3]]
    teacher = fit_teacher(parts, LAG)
    total, count = np.zeros((14, 14)), 0
    fast, steps = np.zeros((14, 14)), 0
    for part in parts:
        for row in part - part.mean(axis=0):
            total += np.outer(row, row)
            count += 1
        for before, after in zip(part, part[LAG:], strict=False):
            fast += np.outer(after - before, after - before) / 2
            steps += 1
    fast /= steps
    ratios, _ = eigh(total / count, fast + SHARE * np.trace(fast) / 14 * np.eye(14))
    for k in range(DIMENSIONS):
        d = teacher.directions[:, k]
        ratio = (d @ total @ d / count) / (d @ (fast + SHARE * np.trace(fast) / 14 * np.eye(14)) @ d)
        assert ratio == pytest.approx(ratios[::-1][k])


def test_who_moves_is_not_an_action(recordings: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """What only differs between recordings has no part in the directions, however much it differs."""
    plain = fit_teacher([evidence for _, evidence in recordings], LAG)
    people = np.random.default_rng(0).normal(0, 50, (4, 14))
    shifted = fit_teacher([e + person for (_, e), person in zip(recordings, people, strict=True)], LAG)
    np.testing.assert_allclose(np.abs(shifted.directions), np.abs(plain.directions), rtol=1e-6, atol=1e-9)


def test_what_differs_between_copies_of_a_motion_is_no_action() -> None:
    """Here a third slow motion is as slow as the actions, but every copy has its own: as where it is seen from."""
    rng = np.random.default_rng(5)
    mixing, _ = np.linalg.qr(rng.normal(size=(16, 16)))

    def copy(seed: int) -> np.ndarray:
        views = np.repeat(rng.normal(0, 3, (10, 2)), 60, axis=0)
        evidence: np.ndarray = np.hstack([scenes(seed)[1], views]) @ mixing
        return evidence

    copies = [copy(seed) for _ in range(3) for seed in range(4)]
    slow, unseen = scenes(17)[0], copy(17)
    alone = fit_teacher(copies, LAG).embed(unseen)[:, :2]
    together = fit_teacher(copies, LAG, copies=3).embed(unseen)[:, :2]
    assert explained(slow, alone) < 0.6
    assert explained(slow, together) > 0.95


def test_centred_is_what_trails_half_a_span_later() -> None:
    """Values that rise steadily are, centred, what they are in the middle; at the end there is no later."""
    values = np.arange(60.0)[:, None]
    trailing = np.array([values[max(0, i - 6) : i + 1].mean(axis=0) for i in range(60)])  # over 7 moments
    found = centred(trailing, 7)
    np.testing.assert_allclose(found[3:57], values[3:57])
    np.testing.assert_allclose(found[[0, -1], 0], [1.5, 56.0])


def parts() -> list[Part]:
    """Two of the first five columns, one of the other four."""
    return [
        Part(slice(0, 5), slice(0, 3), 8, 0.8),
        Part(slice(0, 5), slice(2, 5), 2, 0.0),
        Part(slice(5, 9), slice(6, 9), 4, 0.6),
    ]


def noise(*lengths: int) -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [np.cumsum(rng.normal(0.1, 1.0, (n, 9)), axis=0) for n in lengths]


def test_parts_stand_beside_each_other_in_the_embedding() -> None:
    evidence = noise(80, 70)
    teachers = fit_teachers(evidence, parts(), LAG)
    alone = [fit_teacher([x[:, part.pooled] for x in evidence], LAG) for part in parts()]
    whole = teachers.embed(evidence[0])
    assert whole.shape == (80, 9)
    np.testing.assert_allclose(whole[:, :3], 0.8 * alone[0].embed(centred(evidence[0][:, 0:3], 8)))
    np.testing.assert_allclose(whole[:, 3:6], 0)
    np.testing.assert_allclose(whole[:, 6:], 0.6 * alone[2].embed(centred(evidence[0][:, 6:9], 4)))


def test_evidence_that_says_nothing_is_embedded_as_nothing() -> None:
    silent = [np.ones((60, 9)), np.ones((50, 9))]
    np.testing.assert_allclose(fit_teachers(silent, parts(), LAG).embed(silent[0]), 0, atol=1e-9)


def test_students_are_ridge_regressions_of_each_age_and_part_on_its_own_kind() -> None:
    evidence = noise(80, 50)
    teachers = fit_teachers(evidence, parts(), LAG)
    students = fit_students(evidence, teachers)
    assert students.maps.shape == (REVISIONS + 1, 9, 9)
    assert students.embedding_mean.shape == (REVISIONS + 1, 9)
    wanted = [teachers.embed(x) for x in evidence]
    mean = np.vstack(evidence).mean(axis=0)
    for age in range(REVISIONS + 1):
        x = np.vstack([e[age:] for e in evidence]) - mean
        y = np.vstack([w[: len(w) - age] for w in wanted])
        for kind, own in ((slice(0, 5), slice(0, 6)), (slice(5, 9), slice(6, 9))):
            alpha = RIDGE * np.square(x[:, kind]).sum() / x[:, kind].shape[1]
            ridge = Ridge(alpha=alpha, fit_intercept=False).fit(x[:, kind], (y - y.mean(axis=0))[:, own])
            np.testing.assert_allclose(students.maps[age][kind, own], ridge.coef_.T, atol=1e-9)
            expected = ridge.predict((evidence[0] - mean)[:, kind]) + y.mean(axis=0)[own]
            np.testing.assert_allclose(students.estimate(evidence[0], age)[:, own], expected, atol=1e-9)
        assert not students.maps[age][5:, :6].any()
        assert not students.maps[age][:5, 6:].any()


def test_the_longer_a_moment_is_past_the_better_it_is_known() -> None:
    """Evidence trails over 7 moments, the embedding is centred: three moments later all of it was seen."""
    rng = np.random.default_rng(1)
    signal = np.cumsum(rng.normal(size=(4000, 1)), axis=0) * 0.1
    pooled = np.array([signal[max(0, i - 6) : i + 1].mean(axis=0) for i in range(4000)])
    teachers = fit_teachers([pooled], [Part(slice(0, 1), slice(0, 1), 7, 1.0)], LAG)
    students, embedding = fit_students([pooled], teachers), teachers.embed(pooled)
    errors = [
        float(np.square(students.estimate(pooled[age:], age) - embedding[: len(embedding) - age]).mean())
        for age in range(REVISIONS + 1)
    ]
    assert errors[0] > errors[1] > errors[2] > errors[3]
    assert errors[3] < 0.25 * errors[0]  # what is left is the ridge
