"""Estimates of the newest moments are the model's students on what trails, oldest moment first."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.support.made_up_session import D, made_up_bundle, made_up_model

from motionscribe_models.errors import ModelFolderError
from motionscribe_models.repository import read_bundle
from motionscribe_server.session.embedding import Embedding
from motionscribe_server.session.evidence import Evidence
from motionscribe_server.session.model import ServedModel


def moments(count: int, model: ServedModel, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames (stride, F) and projected states (M, P) of each."""
    rng, manifest = np.random.default_rng(seed), model.manifest
    for _ in range(count):
        frames = rng.normal(size=(manifest.stride, manifest.features)).astype(np.float32)
        yield frames, rng.normal(size=(manifest.decoder_steps, manifest.projected)).astype(np.float32)


def told(embedding: Embedding, moment: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    (estimates,) = Embedding.estimate_many([embedding], moment[0][None], moment[1][None])
    return estimates


def test_students_see_again_what_moments_were() -> None:
    """The made-up model's students undo pooling: an estimate of an older moment is that moment."""
    model = made_up_model()
    embedding, means = Embedding(model), []
    assert model.revisions == 2
    for moment in moments(9, model):
        means.append(moment[0].astype(np.float64).mean(axis=0))
        np.testing.assert_allclose(told(embedding, moment), means[-3:], rtol=1e-6, atol=2e-7)


def test_estimates_of_the_shipped_model_are_its_maps_on_evidence(tiny_model: Path) -> None:
    model = ServedModel(read_bundle(tiny_model))
    embedding, evidence = Embedding(model), Evidence(model.motion, model.spans, model.manifest.stride)
    for count, moment in enumerate(moments(model.revisions + 5, model), 1):
        known = Evidence.observe_many([evidence], moment[0][None], moment[1][None])[0] - model.evidence_mean
        ages = range(min(count, model.revisions + 1) - 1, -1, -1)
        expected = [model.students[age].T @ known + model.embedding_mean[age] for age in ages]
        np.testing.assert_allclose(told(embedding, moment), expected, rtol=1e-6, atol=2e-6)


def test_a_restart_forgets_all() -> None:
    model = made_up_model()
    used, fresh = Embedding(model), Embedding(model)
    for moment in moments(5, model):
        told(used, moment)
    used.restart()
    for moment in moments(5, model, seed=1):
        assert told(used, moment).tobytes() == told(fresh, moment).tobytes()


# -- the arrays of a model folder


def changed(name: str, value: np.ndarray | None) -> ServedModel:
    bundle = made_up_bundle()
    others = {key: array for key, array in bundle.arrays.items() if key != name}
    return ServedModel(replace(bundle, arrays=others if value is None else {**others, name: value}))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("students", None, r"expected the array students, got motion, spans, evidence_mean, "),
        ("students", np.zeros((3, 8 * D)), r"students: expected finite values of shape 3, got \(3, 16\)"),
        ("students", np.zeros((3, 6 * D, D)), r"evidence_mean: expected finite values of shape \(12,\), got \(24,\)"),
        ("spans", np.array([1, 2]), r"expected students of 16 evidence values, got 24"),
        ("motion", np.zeros((2, 3, D)), r"motion: expected finite values of shape \(2, 2\), got \(2, 3, 2\)"),
        ("motion", np.zeros((2, 2, 3)), r"expected students of 30 evidence values, got 24"),
        ("evidence_mean", np.zeros(3), r"evidence_mean: expected finite values of shape \(24,\), got \(3,\)"),
        ("embedding_mean", np.zeros((2, D)), r"embedding_mean: expected finite values of shape \(3, 2\), got \(2, 2\)"),
        ("embedding_mean", np.full((3, D), np.nan), r"embedding_mean: expected finite values"),
        ("centres", np.zeros((4, 3)), r"centres: expected finite values of shape \(None, 2\), got \(4, 3\)"),
        ("feature_scale", np.zeros(5), r"feature_scale: expected finite values of shape \(2,\), got \(5,\)"),
        ("feature_scale", np.array([1.0, 0.0]), r"feature_scale: expected values above 0, got 0"),
        ("stability", np.zeros((3, 4)), r"stability: expected finite values of shape \(3, 7\), got \(3, 4\)"),
        ("anomaly.jump.normal", np.zeros((2, 2)), r"anomaly.jump.normal: expected finite values of shape \(4, None\)"),
        ("anomaly.jump.normal", np.zeros((4, 2)), r"anomaly.jump.normal: expected shape \(4, 2\) and spreads above 0"),
        ("anomaly.jump.rates", None, r"expected the array anomaly.jump.rates, got motion, "),
        ("anomaly.jump.rates", np.ones((2, 2)), r"anomaly.jump.rates: expected knots that rise"),
    ],
)
def test_arrays_of_another_form_are_refused(name: str, value: np.ndarray | None, message: str) -> None:
    with pytest.raises(ModelFolderError, match=rf"^made-up/1: .*{message}"):
        changed(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"settings": {}}, r"expected the setting closed, got "),
        ({"settings": {"young": 9.0}}, r"settings: expected 0 <= young <= closed"),
        ({"settings": {"shortest": 0.0}}, r"settings: .*shortest=0"),
        ({"latency": {"fast": 2}}, r"expected a latency of at least one moment for balanced, got {'fast': 2}"),
        ({"latency": {"fast": 0, "balanced": 1, "stable": 2}}, r"at least one moment for fast"),
        ({"settings": {"radius": 0.0}}, r"expected a radius above 0, got 0"),
        ({"settings": {"largest": -1.0}}, r"expected a largest above 0, got -1"),
        ({"settings": {"hold": 0.5}}, r"settings: expected hold in whole moments from 1 to 65536, got 0\.5"),
        ({"settings": {"history": 29.0}}, r"expected a latency within the history, 29 moments, got 30 for stable"),
        ({"features": 3}, r"expected 2 features of joints \(0, 1\), got 3"),
    ],
)
def test_numbers_of_another_form_are_refused(change: dict[str, Any], message: str) -> None:
    bundle = made_up_bundle()
    if change.get("settings"):
        change = {"settings": {**bundle.manifest.settings, **change["settings"]}}
    manifest = replace(bundle.manifest, **change)
    with pytest.raises(ModelFolderError, match=message):
        ServedModel(replace(bundle, manifest=manifest))


def test_a_model_without_clusters_is_a_model() -> None:
    assert made_up_model(()).centres.shape == (0, D)
