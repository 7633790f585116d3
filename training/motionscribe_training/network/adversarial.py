"""The adversarial variant: two discriminators in a min-max game against the network.

The fidelity discriminator sees a continuation (B, M, F) by itself: is this motion? The continuity discriminator sees
observed and continued frames together (B, T + M, F): does one follow from the other? Both learn to tell true frames
from predicted ones, on their own variables with their own Adam. The network is trained, on its variables only, so that
its predictions are classified as true. The two discriminators are those of Gui et al., ECCV 2018, also used by Su and
Shlizerman 2020, whose released code minimises all losses over all variables, so that the discriminators help the
network to deceive them. Here the game is as Goodfellow et al. state it, with the non-saturating loss.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

DISCRIMINATOR_HIDDEN = 128
"""Units of a discriminator: fewer than the network's, since it does not predict."""


class Discriminator(nn.Module):
    """Frames (B, L, F) to one logit (B,); above 0 means true."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.gru = nn.GRU(features, DISCRIMINATOR_HIDDEN, batch_first=True)
        self.out = nn.Linear(DISCRIMINATOR_HIDDEN, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Frames (B, L, F) to logits (B,)."""
        _, last = self.gru(frames)  # (1, B, H)
        logit: Tensor = self.out(last[0])[:, 0]  # (B,)
        return logit


class Adversary:
    """Both discriminators and their optimiser. All frames are normalised."""

    def __init__(self, features: int, learning_rate: float, device: torch.device) -> None:
        self.fidelity = Discriminator(features).to(device)
        self.continuity = Discriminator(features).to(device)
        self.optimizer = torch.optim.Adam(self.parameters(), lr=learning_rate)

    def parameters(self) -> list[nn.Parameter]:
        """The parameters of both discriminators."""
        return [*self.fidelity.parameters(), *self.continuity.parameters()]

    def learn(self, observed: Tensor, future: Tensor, predicted: Tensor) -> float:
        """One step of the discriminators on observed (B, T, F), future and predicted (B, M, F); returns their loss."""
        predicted = predicted.detach()
        loss = torch.zeros((), device=observed.device)
        for frames, truth in ((future, 1.0), (predicted, 0.0)):
            for logits in self._logits(observed, frames):  # (B,) each
                loss = loss + binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def generator_loss(self, observed: Tensor, predicted: Tensor) -> Tensor:
        """Loss () of the network: how far both discriminators are from classifying its prediction as true.

        The discriminators get no gradients from it.
        """
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        loss = torch.zeros((), device=observed.device)
        for logits in self._logits(observed, predicted):  # (B,) each
            loss = loss + binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        for parameter in self.parameters():
            parameter.requires_grad_(True)
        return loss

    def state(self) -> dict[str, Any]:
        """Parameters and optimiser, for a checkpoint."""
        return {
            "fidelity": self.fidelity.state_dict(),
            "continuity": self.continuity.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """The inverse of state."""
        self.fidelity.load_state_dict(state["fidelity"])
        self.continuity.load_state_dict(state["continuity"])
        self.optimizer.load_state_dict(state["optimizer"])

    def _logits(self, observed: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        return self.fidelity(frames), self.continuity(torch.cat([observed, frames], 1))
