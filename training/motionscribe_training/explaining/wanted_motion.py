"""What a part of the network wants to see: motion that is made to excite it most (activation maximisation).

In: Targets and RealWindows. Out: a Wish for each target, with one Wanted for each slowness. As Feichtenhofer et al.
(2018, arXiv 1801.01415) did with videos, a penalty on change from frame to frame tells slow wishes from fast ones.
Joints stay within the range of the data, and poses that are unlikely under a Gaussian of the data's poses cost. What is
found is an answer of the network, no motion that a person need be able to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.fft import dct
from torch import Tensor

from motionscribe_models.arrays import Array, Single
from motionscribe_training.errors import TrainingError
from motionscribe_training.explaining.evidence_score import Evidence
from motionscribe_training.explaining.real_windows import RealWindows
from motionscribe_training.explaining.target import Target, cluster
from motionscribe_training.explaining.watched import Watched

SLOWNESS = (0.0, 0.3, 1.0, 3.0, 10.0, 30.0)
"""Weights chi. At 1, change as quick as the data's mean costs as much as the strongest real activation earns."""
STEPS = 150
"""Of Adam. Twice as many changed no ratio of 11 targets of models/body/1 by more than .06."""
RATE = 0.05
"""Step of Adam, normalised units."""
PRIOR = 0.1
"""Weight of the pose prior, on the same scale as chi."""
NOISE = 0.1
"""Deviation of the noise on the mean pose from which it starts, normalised units."""
NEAR = 1.0
"""Weight of staying near the window that is changed, per square of a normalised unit."""
SMOOTH = 0.3
"""chi of a change."""
EXAMPLES = 3
"""Real windows that are kept beside a wish."""


@dataclass(frozen=True, eq=False)
class Wanted:
    """A wish under one slowness."""

    slowness: float
    """chi"""
    features: Single
    """(T, F) raw units."""
    activation: float
    ratio: float
    """How far the activation lies above its mean on real windows, over how far the largest real one does."""
    energy: float
    """Mean square of the change from frame to frame over the data's mean."""


@dataclass(frozen=True, eq=False)
class Wish:
    """What a target wants, from quick to slow, and the real windows that come nearest."""

    target: Target
    by_slowness: tuple[Wanted, ...]
    examples: tuple[int, ...]
    """Numbers of RealWindows that excite it most, none overlapping another, the best first."""
    largest: float
    """Activation of the first example."""
    mean: float
    """Activation of real windows."""

    @property
    def speed_invariance(self) -> float:
        """Ratio at the largest slowness over that at the least: 1 for a target that needs no movement."""
        return self.by_slowness[-1].ratio / self.by_slowness[0].ratio


@dataclass(frozen=True, eq=False)
class Change:
    """A real window and what must become of it to excite a target."""

    target: Target
    before: Single
    """(T, F) raw units."""
    after: Single
    """(T, F) raw units."""
    activations: tuple[float, float]
    """Before and after."""
    energies: tuple[float, float]
    """Before and after, as in Wanted."""
    moved: Array
    """(F,) root mean square of what was changed, normalised units."""


def wishes(
    targets: Sequence[Target],
    real: RealWindows,
    slowness: Sequence[float] = SLOWNESS,
    steps: int = STEPS,
    seed: int = 0,
) -> list[Wish]:
    """A Wish for each target, from the same noise about the mean pose. All are optimised together, which is quicker."""
    T, F = real.windows.shape[1:]
    noise = np.random.default_rng(seed).standard_normal((T, F))
    start = real.pose_mean + NOISE * torch.from_numpy(noise).to(real.windows)  # (T, F)
    activations = real.activations(targets)  # (t, N)
    largest, mean = activations.max(1).values, activations.mean(1)  # (t,)
    count, each = len(targets), len(slowness)
    chi = torch.tensor(slowness).to(start).repeat(count)  # (t * s,)
    scale = (largest - mean).repeat_interleave(each)
    made = _optimise(targets, real, start.expand(count * each, T, F), chi, scale, steps)
    with torch.no_grad():
        reached = _activations(targets, real, made).unflatten(0, (count, each))
    energies = real.energy(made)
    found = []
    for row, target in enumerate(targets):
        top, middle = float(largest[row]), float(mean[row])
        wanted = tuple(
            Wanted(
                slowness=weight,
                features=real.raw(made[row * each + n]),
                activation=float(reached[row, n]),
                ratio=(float(reached[row, n]) - middle) / (top - middle),
                energy=float(energies[row * each + n]),
            )
            for n, weight in enumerate(slowness)
        )
        found.append(Wish(target, wanted, real.best(activations[row], EXAMPLES), top, middle))
    return found


def change(target: Target, real: RealWindows, number: int, steps: int = STEPS) -> Change:
    """Changes real window `number` so that it excites the target, and no more than that takes."""
    start = real.windows[number : number + 1]  # (1, T, F)
    activations = real.activations([target])
    scale = (activations.max() - activations.mean())[None]
    made = _optimise([target], real, start, torch.full_like(scale, SMOOTH), scale, steps, near=NEAR)
    with torch.no_grad():
        after = float(_activations([target], real, made))
    return Change(
        target=target,
        before=real.raw(start[0]),
        after=real.raw(made[0]),
        activations=(float(activations[0, number]), after),
        energies=(float(real.energy(start)), float(real.energy(made))),
        moved=(made - start)[0].square().mean(0).sqrt().double().numpy(),
    )


def typical(evidence: Evidence, real: RealWindows, watched: Sequence[Watched], label: int) -> int:
    """The window labelled `label` throughout that speaks most for it. Raises TrainingError where there is none."""
    stride, length = evidence.stride, real.windows.shape[1]
    labelled = [
        number
        for number, (part, start) in enumerate(real.places)
        if (watched[part].clusters[start // stride : -(-(start + length) // stride)] == label).all()
    ]
    if not labelled:
        raise TrainingError(f"expected {length} frames of cluster {label} without a break, got none")
    activations = real.activations([cluster(evidence, label)])[0]
    return max(labelled, key=lambda number: float(activations[number]))


def _optimise(
    targets: Sequence[Target],
    real: RealWindows,
    start: Tensor,
    chi: Tensor,
    scale: Tensor,
    steps: int,
    near: float = 0.0,
) -> Tensor:
    """Windows (B, T, F) from `start`, each under its chi (B,) and with activations in units of `scale` (B,).

    The first B / t windows are for the first target, the next for the next.
    """
    waves = _waves(start)  # (T, T)
    weights = torch.linalg.solve(waves, start).requires_grad_()  # (B, T, F)
    adam = torch.optim.Adam([weights], RATE)
    made = start
    for _ in range(steps):
        windows = waves @ weights  # (B, T, F)
        moved = (windows - start).square().mean((1, 2))
        cost = chi * real.energy(windows) + PRIOR * real.unlikeliness(windows) + near * moved  # (B,)
        loss = (cost - _activations(targets, real, windows) / scale).sum()
        (weights.grad,) = torch.autograd.grad(loss, weights)  # the network's own weights need none
        adam.step()
        with torch.no_grad():
            made = (waves @ weights).clamp(real.low, real.high)
            weights.copy_(torch.linalg.solve(waves, made))
    return made


def _waves(windows: Tensor) -> Tensor:
    """(T, T) columns: cosines over the T frames of `windows`, from a constant to the quickest, 1 over frequency large.

    Under a large chi frames can only move together. When they were optimised one by one, 150 steps left the ratio at
    chi 30 at .1 where it is 1.1, and every target seemed to want quick motion.
    """
    T = windows.shape[1]
    size = T**0.5 / np.arange(1, T + 1)
    return torch.from_numpy(dct(np.eye(T), norm="ortho", axis=0).T * size).to(windows)


def _activations(targets: Sequence[Target], real: RealWindows, windows: Tensor) -> Tensor:
    """(B,) of the target that each window (B, T, F) is for."""
    states = real.network.run(windows).chunk(len(targets))
    pairs = zip(targets, windows.chunk(len(targets)), states, strict=True)
    return torch.cat([target.activation(own, state) for target, own, state in pairs])
