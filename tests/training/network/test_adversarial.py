"""The adversarial variant: network and discriminators teach each other, and each changes its own variables alone."""

import math
from dataclasses import replace

import pytest
import torch
from tests.support.small_training import CPU, SMALL, Sequences, same, weights

from motionscribe_training.network.adversarial import Adversary
from motionscribe_training.network.train import train
from motionscribe_training.network.trainer import Trainer


def batch(sequences: Sequences) -> tuple[Trainer, torch.Tensor, torch.Tensor, torch.Tensor]:
    trainer = Trainer(sequences, replace(SMALL, adversarial=0.1), CPU)
    observed, future = trainer.held
    _, predicted = trainer.network.decode(trainer.network.encode(observed), observed[:, -1], SMALL.target_seq_len)
    return trainer, observed, future, predicted


def test_a_step_of_the_discriminators_teaches_them_and_leaves_the_network_alone(sequences: Sequences) -> None:
    trainer, observed, future, predicted = batch(sequences)
    adversary = Adversary(4, 5e-3, CPU)
    before = weights(trainer.network)
    untaught = [p.detach().clone() for p in adversary.parameters()]
    losses = [adversary.learn(observed, future, predicted) for _ in range(40)]
    # four terms of log 2 for discriminators that know nothing
    assert losses[0] == pytest.approx(4 * math.log(2), rel=0.1)
    assert losses[-1] < 0.5 * losses[0]
    assert same(weights(trainer.network), before)
    assert all(p.grad is None for p in trainer.network.parameters())
    assert not any(torch.equal(a, b) for a, b in zip(untaught, adversary.parameters(), strict=True))


def test_the_generator_loss_teaches_the_network_and_leaves_the_discriminators_alone(sequences: Sequences) -> None:
    trainer, observed, future, predicted = batch(sequences)
    adversary = Adversary(4, 5e-3, CPU)
    for _ in range(10):
        adversary.learn(observed, future, predicted)
    adversary.optimizer.zero_grad()
    before = [p.detach().clone() for p in adversary.parameters()]
    optimizer = torch.optim.Adam(trainer.network.parameters(), lr=5e-3)
    losses = []
    for _ in range(20):
        _, predicted = trainer.network.decode(trainer.network.encode(observed), observed[:, -1], SMALL.target_seq_len)
        loss = adversary.generator_loss(observed, predicted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    assert all(p.grad is None for p in adversary.parameters())
    assert all(torch.equal(a, b) for a, b in zip(before, adversary.parameters(), strict=True))
    assert all(p.requires_grad for p in adversary.parameters())


def test_each_discriminator_sees_what_it_should(sequences: Sequences) -> None:
    _, observed, future, _ = batch(sequences)
    adversary = Adversary(4, 5e-3, CPU)
    wrong = torch.roll(future, 1, dims=0)  # true motion, of another window
    for _ in range(60):
        adversary.learn(observed, future, wrong)
    with torch.no_grad():
        follows = adversary.continuity(torch.cat([observed, future], 1))
        jumps = adversary.continuity(torch.cat([observed, wrong], 1))
        # fidelity cannot know: the same futures, in another order
        assert torch.allclose(adversary.fidelity(future).sum(), adversary.fidelity(wrong).sum(), rtol=1e-4, atol=1e-3)
    assert (follows > jumps).float().mean() > 0.8


def test_adversarial_training_also_learns_to_predict(sequences: Sequences) -> None:
    result = train(
        sequences, replace(SMALL, iterations=150, hidden=16, adversarial=0.05, validate_every=50), quiet=True
    )
    assert result.validation < 0.8 * result.repeating
