"""The adversarial variant: two discriminators that the network has to convince, each on its own side of a min-max game.

Fidelity judges a continuation (B, M, F) by itself: is this motion? Continuity judges observed and continued frames
together (B, T + M, F): does it follow? Both are trained to tell true frames from predicted ones, on their own variables
with their own Adam; the network is trained, on its variables only, to be taken for true. The two judges are those of
Gui et al., ECCV 2018, taken up by Su and Shlizerman 2020, whose released code minimises all losses over all variables,
so that the judges help the forger. This is the game as Goodfellow et al. state it, with the non-saturating loss.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

JUDGE_HIDDEN = 128
"""Units of a discriminator: it reads, it need not predict."""


class Discriminator(nn.Module):
    """Frames (B, L, F) to one logit (B,): above 0 says true."""

    def __init__(self, features: int, hidden: int = JUDGE_HIDDEN) -> None:
        super().__init__()
        self.gru = nn.GRU(features, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, frames: Tensor) -> Tensor:
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
        """Of both discriminators, and of nothing else."""
        return [*self.fidelity.parameters(), *self.continuity.parameters()]

    def learn(self, observed: Tensor, future: Tensor, predicted: Tensor) -> float:
        """One step of the judges on observed (B, T, F), future and predicted (B, M, F); their loss before it."""
        predicted = predicted.detach()
        loss = torch.zeros((), device=observed.device)
        for frames, truth in ((future, 1.0), (predicted, 0.0)):
            for logits in self._judge(observed, frames):  # (B,) each
                loss = loss + binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.parameters(), 1.0)
        self.optimizer.step()
        return loss.item()

    def doubt(self, observed: Tensor, predicted: Tensor) -> Tensor:
        """Loss () of the network: how far both judges are from taking its prediction for true. They learn nothing."""
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        loss = torch.zeros((), device=observed.device)
        for logits in self._judge(observed, predicted):  # (B,) each
            loss = loss + binary_cross_entropy_with_logits(logits, torch.ones_like(logits))
        for parameter in self.parameters():
            parameter.requires_grad_(True)
        return loss

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
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

    def _judge(self, observed: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        return self.fidelity(frames), self.continuity(torch.cat([observed, frames], 1))
