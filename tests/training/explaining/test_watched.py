"""The network out of a model folder is the one that went in; what a stream saw lies on one clock."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.cut_annotation import first_of

from motionscribe_models.recordings import Recording, read_recording
from motionscribe_models.repository import ModelBundle, read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session import ServedModel
from motionscribe_training.data.annotations import find_annotation
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.evaluate import replay_recording
from motionscribe_training.explaining.network import network_of, untrained
from motionscribe_training.explaining.watched import watch


@pytest.fixture(scope="module")
def bundle(tiny_model: Path) -> ModelBundle:
    return read_bundle(tiny_model)


def test_the_network_repeats_the_reference_windows_of_its_folder(bundle: ModelBundle) -> None:
    network, reference = network_of(bundle), bundle.reference
    windows = torch.from_numpy(reference["windows"].copy())
    with torch.no_grad():
        normal = network.normalise(windows)
        states, predicted = network.decode(network.encode(normal), normal[:, -1], bundle.manifest.decoder_steps)
        np.testing.assert_allclose(network.project(states), reference["projected"], atol=1e-4)
        np.testing.assert_allclose(network.denormalise(predicted), reference["prediction"], atol=1e-4)


def test_an_encoder_in_place_of_the_decoder_is_refused(bundle: ModelBundle) -> None:
    variant = bundle.manifest.variants["fp32"]
    foreign = {**bundle.graphs, variant.decoder: bundle.graphs[variant.encoder]}
    with pytest.raises(TrainingError, match="expected the constants of a decoder, got none named std"):
        network_of(replace(bundle, graphs=foreign))


def test_an_untrained_network_follows_its_seed_and_repeats_the_last_frame(bundle: ModelBundle) -> None:
    trained = network_of(bundle)
    one, same, other = untrained(trained, 1), untrained(trained, 1), untrained(trained, 2)
    assert torch.equal(one.weight_hh, same.weight_hh)
    assert not torch.equal(one.weight_hh, other.weight_hh)
    assert torch.equal(one.std, trained.std)
    frames = torch.randn(1, 5, trained.features)
    _, predicted = one.decode(one.encode(frames), frames[:, -1], 3)
    assert torch.equal(predicted, frames[:, -1:].expand_as(predicted))


@pytest.fixture(scope="module")
def trial(data_dir: Path) -> Recording:
    """Its first 24 seconds."""
    whole = read_recording(data_dir / "sub86" / "03.mat")
    return replace(whole, frames=whole.frames[:2880], timestamps_us=whole.timestamps_us[:2880])


@pytest.mark.data
def test_what_a_stream_saw_is_what_it_says(bundle: ModelBundle, trial: Recording, data_dir: Path) -> None:
    model, inference = ServedModel(bundle), Inference(bundle, "fp32", (1,))
    annotation = first_of(find_annotation(data_dir / "sub86" / "03.mat"), len(trial.frames))
    (watched,) = watch(model, inference, trial, annotation)
    replayed = replay_recording(model, inference, trial, annotation, "balanced")
    middles = np.searchsorted(trial.timestamps_us, (watched.times_us[1:-1] + watched.times_us[2:]) // 2)
    assert (watched.clusters[1:-1] == replayed.final[middles]).mean() > 0.995  # at a boundary a frame belongs to either
    np.testing.assert_array_equal(watched.embeddings, replayed.path.of(trial)[1])
    assert len(watched.features) == watched.moments * watched.stride
    assert watched.places is not None
    assert len(watched.places) == len(watched.features)
    assert [piece.label for piece in watched.segments()][:3] == ["walk", "run", "jump"]
    covered = sum(piece.end - piece.start for piece in watched.labelled())
    assert covered == watched.moments


@pytest.mark.data
def test_a_gap_ends_what_was_watched(bundle: ModelBundle, trial: Recording) -> None:
    model, inference = ServedModel(bundle), Inference(bundle, "fp32", (1,))
    times = trial.timestamps_us[:1200].copy()
    times[600:] += 3_000_000
    gapped = replace(trial, frames=trial.frames[:1200], timestamps_us=times)
    first, second = watch(model, inference, gapped)
    assert (first.name, second.name) == ("03 part 1", "03 part 2")
    assert first.end_us <= times[600] <= second.times_us[0]
    assert first.actions is None
    rest = replace(trial, frames=trial.frames[600:1200], timestamps_us=times[600:])
    (alone,) = watch(model, inference, rest)
    np.testing.assert_array_equal(second.features, alone.features)
