"""The network: one GRU cell that encodes observed motion and then, fed its own output, predicts the next frames.

In: windows (B, T, F) of features. Out: the M decoder states (B, M, H), which are clustered, and the M predicted frames
(B, M, F). The cell is tied: encoder and decoder share all weights, so the decoder's first step *is* the step on the
last observed frame, and decoder state 1 is the encoder's last state. There is no teacher forcing. It follows Su and
Shlizerman, 2020 (doi 10.3389/frai.2020.00070), with one difference: the output, linear in the state, is the change from
the frame before (as in Martinez et al., 2017, doi 10.1109/cvpr.2017.497). A network that must produce the pose itself
predicts unseen bodies worse than one that repeats the last frame.

It does not train itself (train.py), fit the PCA that it carries (fit.py) or run in the server (export.py writes ONNX).
"""

import torch
from torch import Tensor, nn

HIDDEN = 1024
"""Units of the published network."""


class Seq2Seq(nn.Module):
    """F features, H hidden units; `pca_*` project decoder states to P dimensions once fit.py has set them."""

    mean: Tensor
    """(F,) mean of the training features, raw units."""
    std: Tensor
    """(F,) scale of the training features, raw units (FeatureMap.normalisation)."""
    pca_mean: Tensor
    """(H,) mean of the decoder states."""
    pca_components: Tensor
    """(P, H) orthonormal rows; P is 0 until they are fitted."""

    def __init__(self, features: int, hidden: int = HIDDEN) -> None:
        super().__init__()
        if features < 1 or hidden < 1:
            raise ValueError(f"expected at least one feature and one hidden unit, got {features} and {hidden}")
        self.features = features
        self.hidden = hidden
        # nn.GRU runs a whole window in one call; decode() steps with the same four tensors
        self.gru = nn.GRU(features, hidden, batch_first=True)
        self.out = nn.Linear(hidden, features)
        nn.init.zeros_(self.out.weight)  # at first it repeats the last frame
        nn.init.zeros_(self.out.bias)
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))
        self.register_buffer("pca_mean", torch.zeros(hidden))
        self.register_buffer("pca_components", torch.zeros(0, hidden))

    @property
    def weight_ih(self) -> Tensor:
        """(3 H, F) input weights of the gates r, z, n."""
        weight_ih: Tensor = self.gru.weight_ih_l0  # type: ignore[assignment]  # a Parameter; torch says Tensor or Module
        return weight_ih

    @property
    def weight_hh(self) -> Tensor:
        """(3 H, H) recurrent weights of the gates r, z, n."""
        weight_hh: Tensor = self.gru.weight_hh_l0  # type: ignore[assignment]  # a Parameter; torch says Tensor or Module
        return weight_hh

    @property
    def bias_ih(self) -> Tensor:
        """(3 H,) input bias of the gates r, z, n."""
        bias_ih: Tensor = self.gru.bias_ih_l0  # type: ignore[assignment]  # a Parameter; torch says Tensor or Module
        return bias_ih

    @property
    def bias_hh(self) -> Tensor:
        """(3 H,) recurrent bias of the gates r, z, n; that of n is inside the reset gate."""
        bias_hh: Tensor = self.gru.bias_hh_l0  # type: ignore[assignment]  # a Parameter; torch says Tensor or Module
        return bias_hh

    def normalise(self, x: Tensor) -> Tensor:
        """Raw features (..., F) to normalised ones (..., F)."""
        return (x - self.mean) / self.std  # (..., F)

    def denormalise(self, x: Tensor) -> Tensor:
        """The inverse of normalise."""
        return x * self.std + self.mean  # (..., F)

    def encode(self, x: Tensor) -> Tensor:
        """Normalised windows (B, T, F) to the state (B, H) after their last frame, from a zero state."""
        _, last = self.gru(x)  # (1, B, H)
        h: Tensor = last[0]  # (B, H)
        return h

    def run(self, x: Tensor) -> Tensor:
        """Normalised frames (B, m, F) to the states (B, m, H) after each of them, from a zero state."""
        states: Tensor = self.gru(x)[0]  # (B, m, H)
        return states

    def decode(self, h: Tensor, last: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """Encoder state (B, H) and last observed frame (B, F) to M states and predictions; state 1 is `h` itself.

        Frames are normalised. States (B, M, H), predictions (B, M, F).
        """
        states, predictions = [h], [last + self.out(h)]  # (B, H), (B, F)
        for _ in range(steps - 1):
            h = torch.gru_cell(predictions[-1], h, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)  # (B, H)
            states.append(h)  # (B, H)
            predictions.append(predictions[-1] + self.out(h))  # (B, F)
        return torch.stack(states, 1), torch.stack(predictions, 1)  # (B, M, H), (B, M, F)

    def project(self, states: Tensor) -> Tensor:
        """Decoder states (..., H) to the embedding (..., P) of the fitted PCA."""
        return (states - self.pca_mean) @ self.pca_components.T  # (..., P)
