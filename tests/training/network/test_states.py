"""How long an encoder remembers: measured as defined, and by place where the answer is known."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.support.small_model import made_up_features, small_network

from motionscribe_training.network.seq2seq import Seq2Seq
from motionscribe_training.network.states import FORGOTTEN, frames_to_forget

MOTION = made_up_features(400)


def forgetful(keep: float) -> Seq2Seq:
    """A cell whose state is `keep` of the one before, and of the input what the gates leave."""
    network = Seq2Seq(MOTION.shape[1], 8)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
        network.weight_ih[16:].normal_(generator=torch.Generator().manual_seed(0))  # the candidate sees the input
        network.bias_ih[8:16] = float(np.log(keep / (1 - keep)))  # the update gate
    return network


@pytest.mark.parametrize("keep", [0.5, 0.8, 0.9])
def test_a_state_that_keeps_a_share_of_itself_forgets_as_a_power_of_it(keep: float) -> None:
    expected = int(np.ceil(np.log(FORGOTTEN) / np.log(keep)))
    assert frames_to_forget(forgetful(keep), [MOTION], 40, 200) == pytest.approx(expected, abs=1)


def test_what_is_remembered_too_long_has_no_number() -> None:
    assert frames_to_forget(forgetful(0.99), [MOTION], 40, 100) is None
    assert frames_to_forget(forgetful(0.5), [MOTION[:41]], 40, 100) is None


def test_pasts_that_differ_lead_to_one_state_after_the_memory() -> None:
    """The meaning of the number, with another past than the one that it was measured with."""
    network = small_network(MOTION)
    frames = frames_to_forget(network, [MOTION], 40, 300)
    assert frames is not None

    def after(past: NDArray[np.float32]) -> torch.Tensor:
        motion = np.concatenate([past, MOTION[200 : 200 + frames]])
        with torch.no_grad():
            return network.run(network.normalise(torch.from_numpy(motion))[None])[0]

    one, other = after(MOTION[:40]), after(MOTION[100:140])
    assert (one[-1] - other[-1]).norm() < 5 * FORGOTTEN * (one[39] - other[39]).norm()
