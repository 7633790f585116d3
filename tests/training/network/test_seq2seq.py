"""The network against slow twins written from the definition."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from motionscribe_training.network.seq2seq import Seq2Seq

B, T, M, F, H = 3, 7, 5, 4, 6


@pytest.fixture
def network() -> Seq2Seq:
    torch.manual_seed(1)
    network = Seq2Seq(F, H).double()
    network.out.reset_parameters()  # it begins with zeros
    # larger than the initial weights, so that gates open and close
    for parameter in network.parameters():
        parameter.data.mul_(3)
    network.mean.copy_(torch.randn(F, dtype=torch.float64))
    network.std.copy_(torch.rand(F, dtype=torch.float64) + 0.5)
    return network.eval()


def slow_step(network: Seq2Seq, x: NDArray[np.float64], h: NDArray[np.float64]) -> NDArray[np.float64]:
    """One frame (F,) and state (H,) to the next state, by the equations of the GRU, one unit at a time."""
    wi, wh = network.weight_ih.detach().numpy(), network.weight_hh.detach().numpy()
    bi, bh = network.bias_ih.detach().numpy(), network.bias_hh.detach().numpy()

    def sigmoid(v: float) -> float:
        return float(1 / (1 + np.exp(-v)))

    after = np.zeros(H)
    for unit in range(H):
        r = sigmoid(wi[unit] @ x + bi[unit] + wh[unit] @ h + bh[unit])
        z = sigmoid(wi[H + unit] @ x + bi[H + unit] + wh[H + unit] @ h + bh[H + unit])
        n = np.tanh(wi[2 * H + unit] @ x + bi[2 * H + unit] + r * (wh[2 * H + unit] @ h + bh[2 * H + unit]))
        after[unit] = (1 - z) * n + z * h[unit]
    return after


def test_encoder_and_decoder_are_the_one_cell_of_the_definition(network: Seq2Seq) -> None:
    windows = np.random.default_rng(0).normal(size=(B, T, F))
    with torch.no_grad():
        normal = network.normalise(torch.from_numpy(windows))
        states, predictions = network.decode(network.encode(normal), normal[:, -1], M)
    out, bias = network.out.weight.detach().numpy(), network.out.bias.detach().numpy()
    for b in range(B):
        h = np.zeros(H)
        for prediction in (windows[b] - network.mean.numpy()) / network.std.numpy():
            h = slow_step(network, prediction, h)
        for m in range(M):
            prediction = prediction + out @ h + bias
            np.testing.assert_allclose(states[b, m], h, atol=1e-12)
            np.testing.assert_allclose(predictions[b, m], prediction, atol=1e-12)
            h = slow_step(network, prediction, h)


def test_gradients_of_the_prediction_reach_the_tied_cell_from_encoder_and_decoder(network: Seq2Seq) -> None:
    windows = torch.randn(B, T, F, dtype=torch.float64)
    state = network.encode(windows)
    network.decode(state.detach(), windows[:, -1], M)[1].square().mean().backward()
    assert network.weight_hh.grad is not None
    from_decoder = network.weight_hh.grad.clone()
    network.zero_grad()
    network.decode(network.encode(windows), windows[:, -1], M)[1].square().mean().backward()
    assert from_decoder.abs().max() > 0
    assert not torch.allclose(from_decoder, network.weight_hh.grad)


def test_a_new_network_repeats_the_last_frame() -> None:
    windows = torch.randn(B, T, F)
    _, predictions = Seq2Seq(F, H).decode(torch.randn(B, H), windows[:, -1], M)
    assert torch.equal(predictions, windows[:, -1:].expand(B, M, F))


def test_all_weights_are_one_cell_and_one_linear_map(network: Seq2Seq) -> None:
    shapes = {name: tuple(p.shape) for name, p in network.named_parameters()}
    assert sorted(shapes.values()) == sorted([(3 * H, F), (3 * H, H), (3 * H,), (3 * H,), (F, H), (F,)])
    assert Seq2Seq(2).hidden == 1024


def test_denormalise_undoes_normalise(network: Seq2Seq) -> None:
    x = torch.randn(B, T, F, dtype=torch.float64)
    assert torch.allclose(network.denormalise(network.normalise(x)), x)
    assert torch.allclose(network.normalise(network.mean + network.std), torch.ones(F, dtype=torch.float64))


def test_projection_is_that_of_a_principal_component_analysis(network: Seq2Seq) -> None:
    states = torch.randn(50, H, dtype=torch.float64)
    network.pca_mean = states.mean(0)
    _, _, rows = torch.linalg.svd(states - network.pca_mean)
    network.pca_components = rows[:2]
    projected = network.project(states)
    assert projected.shape == (50, 2)
    variances = torch.linalg.eigvalsh((states - states.mean(0)).T @ (states - states.mean(0)) / 50).flip(0)
    assert torch.allclose(projected.square().mean(0), variances[:2])


def test_a_network_needs_features_and_units() -> None:
    with pytest.raises(ValueError, match="at least one feature"):
        Seq2Seq(0, 8)
    with pytest.raises(ValueError, match="at least one feature and one hidden unit, got 3 and 0"):
        Seq2Seq(3, 0)
