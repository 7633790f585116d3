"""The start of a real trial, and what the shipped model says to it."""

from pathlib import Path

import pytest

from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.model import ServedModel
from motionscribe_training.data.annotations import Annotation, find_annotation
from motionscribe_training.evaluation.evaluate import Replayed, replay_recording


@pytest.fixture(scope="module")
def start_of_trial_1(data_dir: Path) -> tuple[Recording, Annotation]:
    """The first 16.5 s of subject 86, trial 01: walk, jump forward, walk."""
    whole, annotation = read_recording(data_dir / "sub86" / "01.mat"), find_annotation(data_dir / "sub86" / "01.mat")
    assert annotation is not None
    start = Recording("start", whole.frames[:1980], whole.timestamps_us[:1980], whole.skeleton)
    return start, Annotation(annotation.segments[:3], annotation.boundaries[:2])


@pytest.fixture(scope="module")
def served(tiny_model: Path) -> tuple[ServedModel, Inference]:
    bundle = read_bundle(tiny_model)
    return ServedModel(bundle), Inference(bundle, batch_sizes=(1,))


@pytest.fixture(scope="module")
def replayed(served: tuple[ServedModel, Inference], start_of_trial_1: tuple[Recording, Annotation]) -> Replayed:
    return replay_recording(*served, *start_of_trial_1, "balanced")
