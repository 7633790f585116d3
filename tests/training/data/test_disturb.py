"""What training does to motion before the network sees it."""

import numpy as np
import torch

from motionscribe_training.data.disturb import NOISE, UNSEEN, at_speed, disturb


def test_the_last_frame_stays_and_some_features_are_not_seen() -> None:
    observed = 10 + torch.arange(40 * 8 * 50).reshape(40, 8, 50) / 1000
    got = disturb(observed, np.random.default_rng(0))
    assert torch.equal(got[:, -1], observed[:, -1])
    seen = (got[:, :-1] - observed[:, :-1]).abs() < 6 * NOISE
    assert torch.equal(seen, seen[:, :1].expand_as(seen)), "a feature is seen in all of a window or in nothing of it"
    assert abs(1 - seen[:, 0].double().mean().item() - UNSEEN) < 0.03
    noise = (got[:, :-1] - observed[:, :-1] * seen).double()
    assert abs(noise.std().item() - NOISE) < 0.01
    assert torch.equal(got, disturb(observed, np.random.default_rng(0)))


def test_a_faster_recording_is_shorter_and_its_rates_are_higher() -> None:
    ramp = np.stack([np.arange(100.0), np.full(100, 3.0)], axis=1).astype(np.float32)
    fast, slow = (at_speed([ramp], speed, 1)[0] for speed in (2.0, 0.5))
    np.testing.assert_allclose(fast, np.stack([np.arange(0, 99, 2), np.full(50, 6.0)], axis=1))
    np.testing.assert_allclose(slow, np.stack([np.arange(0, 99, 0.5), np.full(198, 1.5)], axis=1), atol=1e-5)
    np.testing.assert_allclose(at_speed([ramp], 2.0, 0)[0][:, 1], 3)
    assert at_speed([ramp[:1]], 2.0, 1)[0].shape == (0, 2)
