"""The inside of the cell is torch's, and each layer's rows are where the stream has them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from motionscribe_models.arrays import Array, Single
from motionscribe_models.repository import read_bundle
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.layers import layers, with_own_pca
from motionscribe_training.explaining.network import network_of
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import running_states

F, H, P, STRIDE, STEPS = 5, 7, 6, 3, 4


def network_of_seed(seed: int) -> Seq2Seq:
    """A network all of whose weights are random, with a fitted PCA."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = Seq2Seq(F, H)
        for tensor in (*network.parameters(), network.mean, network.pca_mean):
            tensor.data.copy_(torch.randn_like(tensor) / 2)
        network.std.copy_(torch.rand(F) + 0.5)
        network.pca_components = torch.linalg.qr(torch.randn(H, P))[0].T.contiguous()
    return network.eval()


def watched_of(features: Single, actions: tuple[str, ...] | None = None, stride: int = STRIDE) -> Watched:
    """Features (n * stride, F) that were watched, and nothing else."""
    n = len(features) // stride
    return Watched(
        name="made",
        stride=stride,
        features=features,
        places=None,
        times_us=np.arange(n) * 100_000,
        end_us=n * 100_000,
        embeddings=np.zeros((n, 1)),
        clusters=np.ones(n, np.int64),
        margins=np.zeros(n),
        revisions=np.zeros(n, np.int64),
        actions=actions,
        states=(),
    )


def motion(seed: int, moments: int) -> Single:
    return np.random.default_rng(seed).standard_normal((moments * STRIDE, F)).astype(np.float32)


def slow_cell(network: Seq2Seq, normal: Array) -> dict[str, Array]:
    """Frame by frame and gate by gate, in double precision."""

    def gates(weights: torch.Tensor) -> list[Array]:
        return np.split(weights.detach().numpy().astype(np.float64), 3)

    def sigmoid(x: Array) -> Array:
        return np.asarray(1 / (1 + np.exp(-x)))

    (wr, wz, wn), (ur, uz, un) = gates(network.weight_ih), gates(network.weight_hh)
    (br, bz, bn), (cr, cz, cn) = gates(network.bias_ih), gates(network.bias_hh)
    h = np.zeros(network.hidden)
    seen: dict[str, list[Array]] = {"update gate": [], "reset gate": [], "candidate": [], "state": []}
    for x in normal:
        r, z = sigmoid(wr @ x + br + ur @ h + cr), sigmoid(wz @ x + bz + uz @ h + cz)
        candidate = np.tanh(wn @ x + bn + r * (un @ h + cn))
        h = (1 - z) * candidate + z * h
        for name, value in zip(seen, (z, r, candidate, h), strict=True):
            seen[name].append(value)
    return {name: np.array(values) for name, values in seen.items()}


@given(seed=st.integers(0, 2**31), moments=st.integers(1, 4))
def test_the_cell_is_that_of_the_equations(seed: int, moments: int) -> None:
    network, features = network_of_seed(seed), motion(seed, moments)
    found = layers(network, watched_of(features), STEPS)
    for name, expected in slow_cell(network, found["input"].rows.astype(np.float64)).items():
        np.testing.assert_allclose(found[name].rows, expected, atol=1e-5, err_msg=name)


def test_the_cell_of_a_trained_network_is_torchs(tiny_model: Path) -> None:
    bundle = read_bundle(tiny_model)
    network = network_of(bundle)
    windows = bundle.reference["windows"]
    found = layers(network, watched_of(windows[0].copy(), stride=1), STEPS)
    with torch.no_grad():
        expected = network.gru(torch.from_numpy(found["input"].rows)[None])[0][0]
    np.testing.assert_allclose(found["state"].rows, expected, atol=1e-6, rtol=0)
    assert found["update gate"].rows.std() > 0.01  # the gates of a trained network do something


@given(seed=st.integers(0, 2**31), moments=st.integers(1, 6))
def test_layers_of_moments_are_what_a_stream_computes(seed: int, moments: int) -> None:
    network, features = network_of_seed(seed), motion(seed, moments)
    found = layers(network, watched_of(features), STEPS)
    states, _ = running_states(network, features, stride=STRIDE, steps=STEPS)
    decoder = found["decoder states"].rows.reshape(-1, STEPS, H)
    np.testing.assert_allclose(decoder, states, atol=5e-5)
    np.testing.assert_array_equal(found["last state"].rows, found["state"].rows[STRIDE - 1 :: STRIDE])
    np.testing.assert_array_equal(found["last state"].rows, decoder[:, 0])
    np.testing.assert_allclose(found["input"].rows, (features - network.mean.numpy()) / network.std.numpy(), atol=1e-5)
    embedded = (decoder - network.pca_mean.numpy()) @ network.pca_components.numpy().T
    for k in (2, 4, P):
        rows = found[f"PCA {k}"].rows.reshape(moments, STEPS, k)
        np.testing.assert_allclose(rows, embedded[..., :k], atol=5e-5)
    for layer in found.values():
        assert len(layer.rows) == moments * layer.per_moment


def test_layers_come_in_the_order_of_a_frame_and_no_truncation_twice() -> None:
    network = network_of_seed(0)
    names = list(layers(network, watched_of(motion(0, 2)), STEPS))
    encoder = ["input", "update gate", "reset gate", "candidate", "state"]
    assert names == [*encoder, "last state", "decoder states", "PCA 2", "PCA 4", "PCA 6"]
    network.pca_components = network.pca_components[:4]
    assert list(layers(network, watched_of(motion(0, 2)), STEPS))[-2:] == ["PCA 2", "PCA 4"]


def test_the_pca_is_that_of_the_networks_own_states() -> None:
    network, parts = network_of_seed(3), [watched_of(motion(1, 9)), watched_of(motion(2, 5))]
    before = network.pca_mean.clone()
    fitted = with_own_pca(network, parts, STEPS, P)
    states = np.concatenate([layers(fitted, part, STEPS)["decoder states"].rows.reshape(-1, H) for part in parts])
    np.testing.assert_allclose(fitted.pca_mean, states.mean(axis=0), atol=1e-5)
    spread = np.linalg.svd(states - states.mean(axis=0), compute_uv=False)
    projected = (states - states.mean(axis=0)) @ fitted.pca_components.numpy().T
    np.testing.assert_allclose(np.linalg.norm(projected, axis=0), spread[:P], rtol=1e-3)
    assert torch.equal(network.pca_mean, before)


def test_a_network_without_pca_and_too_few_states_are_refused() -> None:
    network = Seq2Seq(F, H)
    with pytest.raises(TrainingError, match="got one with no components"):
        layers(network, watched_of(motion(0, 2)), STEPS)
    with pytest.raises(TrainingError, match="expected at least 6 decoder states to project to, got 4"):
        with_own_pca(network, [watched_of(motion(0, 1))], STEPS, P)
