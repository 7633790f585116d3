"""From a network to a model that serves: what fit learns is what a session then does."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.support.made_up_session import check_story, finals
from tests.support.small_model import recompute

from motionscribe.demo.performer import Performance, perform
from motionscribe_models.features import FeatureMap, moving_joints, recording_features
from motionscribe_models.manifest import Manifest
from motionscribe_models.recordings import CMU_EXPMAP
from motionscribe_models.repository import read_bundle
from motionscribe_server.engine.inference import Inference
from motionscribe_server.session.anomaly.sensed import Sensed
from motionscribe_server.session.embedding import Embedding
from motionscribe_server.session.model import ServedModel
from motionscribe_server.session.replay import replay
from motionscribe_server.session.steps import step_of
from motionscribe_training.errors import TrainingError
from motionscribe_training.exporting.export import export
from motionscribe_training.fitting import fit as module
from motionscribe_training.fitting import pose_model
from motionscribe_training.fitting.durations import Durations
from motionscribe_training.fitting.fit import FitResult, fit
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states

T, STRIDE, M, H, P, RATE = 24, 3, 8, 48, 12, 30.0
SCRIPT = [("walk", 6.0), ("wave", 6.0), ("squat", 6.0), ("walk", 6.0), ("punch", 6.0), ("squat", 6.0)]


def features_of(performance: Performance, feature_map: FeatureMap) -> np.ndarray:
    return recording_features(feature_map, performance.recording.frames, performance.recording.timestamps_us, RATE)


def untrained(sequences: list[np.ndarray], feature_map: FeatureMap) -> Seq2Seq:
    """A network of chance, which remembers and mixes what it sees like any other."""
    torch.manual_seed(0)
    network = Seq2Seq(feature_map.width, H)
    network.out.reset_parameters()  # it begins with zeros
    mean, scale = feature_map.normalisation(sequences)
    network.mean.copy_(torch.from_numpy(mean))
    network.std.copy_(torch.from_numpy(scale))
    return network


def fitted(network: Seq2Seq, sequences: list[np.ndarray], **changes: int) -> FitResult:
    sizes = {"window": T, "stride": STRIDE, "steps": M, "projected": P, "seed": 0, **changes}
    joints = moving_joints(CMU_EXPMAP, [perform(SCRIPT, seed=1).recording.frames])
    feature_map, stride = FeatureMap(CMU_EXPMAP, joints), sizes["stride"]
    still = Sensed(*np.ones((3, len(feature_map.sensor_joints))))
    return fit(
        network,
        sequences,
        sequences[:2],
        [[still] * (len(sequence) // stride) for sequence in sequences],
        durations=Durations(stride / RATE, {}),
        feature_map=feature_map,
        normal={number: number for number in range(len(sequences))},
        **sizes,
    )


@pytest.fixture(scope="module", autouse=True)
def _hasty_pose_model() -> Iterator[None]:
    """Each fit trains it four times, at length, and nothing here is about how good it is: test_pose_model.py is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pose_model, "ITERATIONS", 20)
        yield


@dataclass(frozen=True)
class Made:
    feature_map: FeatureMap
    sequences: list[np.ndarray]
    network: Seq2Seq
    result: FitResult
    folder: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Fitted to two performances and a walk, and exported."""
    performances = [perform(SCRIPT, seed=1), perform(SCRIPT[::-1], seed=2), perform([("walk", 5.0)], seed=3)]
    joints = moving_joints(CMU_EXPMAP, [p.recording.frames for p in performances])
    feature_map = FeatureMap(CMU_EXPMAP, joints)
    sequences = [features_of(p, feature_map) for p in performances]
    network = untrained(sequences, feature_map)
    result = fitted(network, sequences)
    draft = Manifest(
        name="made",
        version="1",
        created="2026-01-01",
        description="untrained",
        skeleton=CMU_EXPMAP,
        feature_joints=joints,
        rate_hz=RATE,
        window=T,
        stride=STRIDE,
        decoder_steps=M,
        features=feature_map.width,
        hidden=H,
        projected=P,
        latency=result.latency,
        metrics={},
        settings={**result.settings, "largest": 100.0},
        training={},
    )
    folder = tmp_path_factory.mktemp("fit") / "made" / "1"
    windows = np.stack([sequences[0][k : k + T] for k in (0, 100, 300)])
    export(network, folder=folder, draft=draft, arrays=result.arrays, windows=windows)
    return Made(feature_map, sequences, network, result, folder)


def test_what_was_fitted_serves_and_tells_the_actions_of_somebody_else_apart(made: Made) -> None:
    bundle = read_bundle(made.folder)
    model = ServedModel(bundle)
    somebody = perform(SCRIPT, seed=9)
    events = [e.event for e in replay(model, Inference(bundle, "fp32", (1,)), somebody.recording)]
    check_story(events, range(1, len(model.centres) + 1))
    truth, told = np.zeros(len(somebody.recording.frames), int), np.zeros(len(somebody.recording.frames), int)
    names = sorted({name for name, _ in SCRIPT})
    for segment in somebody.segments:
        truth[segment.start_seq - 1 : segment.end_seq - 1] = names.index(segment.name)
    for label in finals(events):
        told[label.start_seq - 1 : label.end_seq - 1] = label.cluster
    # of the pairs of frames that truly show two actions, most are told apart; of the others most are not
    pairs = np.random.default_rng(0).integers(0, len(truth), (2, 20_000))
    same, together = truth[pairs[0]] == truth[pairs[1]], told[pairs[0]] == told[pairs[1]]
    assert together[same].mean() > 0.6
    assert together[~same].mean() < 0.4


def test_the_network_gets_a_pca_of_its_own_states(made: Made) -> None:
    components = made.network.pca_components.numpy()
    assert components.shape == (P, H)
    np.testing.assert_allclose(components @ components.T, np.eye(P), atol=1e-5)
    states = np.concatenate([running_states(made.network, x, stride=STRIDE, steps=M)[0] for x in made.sequences])
    centred = states.reshape(-1, H) - made.network.pca_mean.numpy()
    np.testing.assert_allclose(centred.mean(axis=0), 0, atol=1e-5)
    kept = np.square(centred @ components.T).sum()
    best = np.linalg.eigvalsh(centred.T @ centred)[-P:].sum()
    assert kept == pytest.approx(best, rel=1e-4)


def test_moments_one_by_one_say_the_same_as_all_at_once(made: Made) -> None:
    """The slow twin of the slow twin: gate by gate in float64, from the first frame for each moment."""
    features = made.sequences[0][:40]
    states, predictions = running_states(made.network, features, stride=STRIDE, steps=M)
    assert (states.shape, predictions.shape) == ((13, M, H), (13, M, made.feature_map.width))
    for k in (0, 5, 7, 12):
        end = STRIDE * (k + 1)
        expected = recompute(made.network, features[:end], M)
        centred = states[k] - made.network.pca_mean.numpy()
        np.testing.assert_allclose(centred @ made.network.pca_components.numpy().T, expected["projected"], atol=1e-5)
        np.testing.assert_allclose(predictions[k], expected["prediction"], atol=1e-4)


@pytest.mark.parametrize("frames", [0, 1, STRIDE - 1])
def test_less_than_a_stride_has_no_moments(made: Made, frames: int) -> None:
    states, predictions = running_states(made.network, made.sequences[0][:frames], stride=STRIDE, steps=M)
    assert states.shape == (0, M, H)
    assert predictions.shape == (0, M, made.feature_map.width)


def projected(network: Seq2Seq, features: np.ndarray) -> np.ndarray:
    """(m, F) to (n, M, P)."""
    states, _ = running_states(network, features, stride=STRIDE, steps=M)
    return np.asarray((states - network.pca_mean.numpy()) @ network.pca_components.numpy().T)


def test_a_session_embeds_what_fit_embedded(made: Made) -> None:
    """Steps and folded decoder on one side, whole recordings and pooling by definition on the other."""
    bundle = read_bundle(made.folder)
    model, engine = ServedModel(bundle), Inference(bundle, "fp32", (1,))
    features, arrays = made.sequences[1][:150], made.result.arrays
    windows = projected(made.network, features)
    before = np.vstack([features[:1], features[:-1]])
    motion = features @ arrays["motion"][0] + before @ arrays["motion"][1]
    embedding, state = Embedding(model), engine.new_state()
    seen = 0
    for index, row in enumerate(features):
        (answer,) = engine.advance([state], [[step_of(row, index, None, STRIDE)]])
        if answer is None:
            continue
        trails = [motion[max(0, index + 1 - span) : index + 1] for span in arrays["spans"]]
        trails += [windows[max(0, seen + 1 - span // STRIDE) : seen + 1].mean(axis=1) for span in arrays["spans"]]
        evidence = np.concatenate([part for x in trails for part in (x.mean(axis=0), x.std(axis=0))])
        frames = features[None, index + 1 - STRIDE : index + 1]
        (estimates,) = Embedding.estimate_many([embedding], frames, answer.projected[None])
        for age, found in enumerate(estimates[::-1]):
            expected = (evidence - arrays["evidence_mean"]) @ arrays["students"][age] + arrays["embedding_mean"][age]
            np.testing.assert_allclose(found, expected, atol=1e-3)
        seen += 1
    assert seen == len(windows) == 50


def test_an_embedding_varies_by_about_one_in_all(made: Made) -> None:
    model, parts = ServedModel(read_bundle(made.folder)), []
    for x in made.sequences[:2]:
        embedding, oldest = Embedding(model), []
        for moment, states in enumerate(projected(made.network, x)):
            frames = x[None, moment * STRIDE : (moment + 1) * STRIDE]
            (estimates,) = Embedding.estimate_many([embedding], frames, states[None])
            oldest.append(estimates[0])
        parts.append(np.array(oldest) - np.mean(oldest, axis=0))
    assert 0.5 < np.vstack(parts).var(axis=0).sum() < 1.5


def test_the_same_seed_fits_the_same(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PCA_ROWS", 600)  # fewer than there are: which, is by chance
    sequences = [x[:400] for x in made.sequences]
    results = [fitted(untrained(sequences, made.feature_map), sequences, seed=s) for s in (4, 4, 5)]
    for name, array in results[0].arrays.items():
        assert array.tobytes() == results[1].arrays[name].tobytes()
    assert results[0].arrays["students"].tobytes() != results[2].arrays["students"].tobytes()


def test_the_embedding_is_motion_over_two_spans_and_decoder_states(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = made.result.arrays["students"]
    states, dimensions = 10 * P, maps.shape[2] // 3
    assert not maps[:, -states:, : 2 * dimensions].any()
    assert not maps[:, :-states, 2 * dimensions :].any()
    monkeypatch.setattr(module, "WEIGHTS", (1.0, 0.0, 0.0))
    alone = fitted(untrained(made.sequences, made.feature_map), made.sequences).arrays["students"]
    assert not alone[:, :, dimensions:].any()
    share = 1 / np.sqrt(1 + 0.7**2 + 1)
    np.testing.assert_allclose(maps[:, :, :dimensions], share * alone[:, :, :dimensions], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("stride", [2, 6])
def test_numbers_are_worth_the_same_time_at_another_stride(made: Made, stride: int) -> None:
    other = fitted(untrained(made.sequences, made.feature_map), made.sequences, stride=stride)
    share = stride / STRIDE  # a moment lasts so much longer
    assert other.settings.keys() == made.result.settings.keys()
    for name, value in made.result.settings.items():
        if name == "radius":
            assert other.settings[name] == value
        elif name in ("closed", "young"):  # deviations of fewer moments add up to less
            assert other.settings[name] * share == pytest.approx(value)
        else:
            assert other.settings[name] * share == pytest.approx(value, abs=0.5 * share)
    for lag, moments in made.result.latency.items():
        assert other.latency[lag] * share == pytest.approx(moments, abs=0.5 * share)
    longest = made.result.arrays["spans"].max()
    assert other.arrays["spans"].max() == longest  # frames


def test_presets_wait_longer_the_stabler_they_are(made: Made) -> None:
    assert list(made.result.latency) == ["fast", "balanced", "stable"]
    assert list(made.result.latency.values()) == sorted(made.result.latency.values())


def test_recordings_that_are_too_short_to_tell_actions_apart_are_refused(made: Made) -> None:
    network = untrained(made.sequences, made.feature_map)
    with pytest.raises(TrainingError, match=r"expected a recording of more than 4\.6 s to fit on"):
        fitted(network, [x[:130] for x in made.sequences])


def test_fewer_states_than_dimensions_are_refused(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PCA_ROWS", 12)
    network = untrained(made.sequences, made.feature_map)
    with pytest.raises(TrainingError, match="expected at least 40 decoder states to project to, got 12"):
        fitted(network, made.sequences, projected=40)


def test_recordings_that_only_the_pca_sees_may_be_short(made: Made) -> None:
    sequences = [*made.sequences[:2], made.sequences[2][:STRIDE]]
    result = fitted(untrained(sequences, made.feature_map), sequences)
    assert np.isfinite(result.arrays["students"]).all()


def test_arrays_of_another_model_do_not_fit(made: Made) -> None:
    bundle = read_bundle(made.folder)
    with pytest.raises(ValueError, match="students"):
        ServedModel(replace(bundle, manifest=replace(bundle.manifest, projected=P - 1)))
