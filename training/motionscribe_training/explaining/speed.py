"""Whether the network cares how quickly a motion is made.

In: recordings, played at other speeds. Out: how alike each layer's activity is at the same places of the motion, and
what is left of the activation of a target. Features keep their meaning: those that are rates grow with the speed.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from motionscribe_models.arrays import Array, Single
from motionscribe_training.data.disturb import at_speed
from motionscribe_training.explaining.layers import layers
from motionscribe_training.explaining.real_windows import RealWindows
from motionscribe_training.explaining.wanted_motion import Wish
from motionscribe_training.explaining.watched import Watched
from motionscribe_training.network.seq2seq import Seq2Seq

SPEEDS = (0.5, 2.0)
"""Beside normal speed. The network learnt from speeds between .7 and 1.4."""
LAYERS = ("input", "update gate", "reset gate", "candidate", "state", "decoder states")
"""Those of layers.py that are compared; the input, which no network has touched, is the yardstick."""


def layer_invariance(
    network: Seq2Seq, watched: Sequence[Watched], steps: int, rates: int
) -> dict[str, dict[float, float]]:
    """Name of each of LAYERS -> speed -> correlation with normal speed; 1 where speed makes no difference.

    `rates` of the features, the last ones, are per second (FeatureMap.rates).
    """
    normal = [_activity(network, each, each.features, steps) for each in watched]
    found: dict[str, dict[float, float]] = {name: {} for name in LAYERS}
    for speed in SPEEDS:
        played = [_activity(network, each, at_speed([each.features], speed, rates)[0], steps) for each in watched]
        for name in LAYERS:
            # the activity itself, played at that speed: what a layer would do that follows the motion alone
            same = np.concatenate(at_speed([each[name] for each in normal], speed, 0))
            found[name][speed] = mean_correlation(same, np.concatenate([each[name] for each in played]))
    return found


def mean_correlation(one: Array | Single, other: Array | Single) -> float:
    """Pearson's correlation of each column of (n, w) with the same of the other, mean over those that vary in both."""
    a, b = (values.astype(np.float64) - values.mean(axis=0, dtype=np.float64) for values in (one, other))
    spread = np.sqrt(np.square(a).sum(axis=0) * np.square(b).sum(axis=0))
    varies = spread > 0
    return float(((a * b).sum(axis=0)[varies] / spread[varies]).mean())


@torch.no_grad()
def wish_at_speeds(wish: Wish, real: RealWindows, watched: Sequence[Watched], rates: int) -> dict[float, float]:
    """Speed -> ratio (as of a Wanted) of the wish's examples when they are played at it, mean; 1.0 is normal speed.

    The window is as long at each speed and shows the motion about the same middle. A speed is left out where all
    examples lie so near to an end that there is too little motion.
    """
    length, found = real.windows.shape[1], {}
    for speed in (1.0, *SPEEDS):
        windows = []
        for number in wish.examples:
            part, start = real.places[number]
            span = round(length * speed) + 1  # the last frame is interpolated to
            first = start + length // 2 - span // 2
            shown = watched[part].features[max(0, first) : first + span]
            if len(shown) == span:
                windows.append(at_speed([shown], speed, rates)[0][:length])
        if windows:
            normal = real.network.normalise(torch.from_numpy(np.stack(windows)).to(real.windows))
            activation = float(wish.target.activation(normal, real.network.run(normal)).mean())
            found[speed] = (activation - wish.mean) / (wish.largest - wish.mean)
    return found


def _activity(network: Seq2Seq, watched: Watched, features: Single, steps: int) -> dict[str, Single]:
    """Name of each of LAYERS -> (m, w) at each frame, decoder states too."""
    found = layers(network, replace(watched, features=features, stride=1), steps)
    return {name: found[name].rows for name in LAYERS}
