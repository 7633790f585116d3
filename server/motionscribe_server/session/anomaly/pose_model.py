"""Where each group of joints is to be expected, given all others: a network that was trained with joints masked.

In: features of the newest frame of moments. Out: the misfit of each of G groups: the mean square of how far its
features, and their changes over LAGS moments, lie from the expected ones, in expected deviations. The network has two
hidden layers; which group is masked is an input of the first. It is small enough for NumPy, in blocks (blocks.py), so
that no answer depends on who else is in a batch.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.arrays import Array, Single
from motionscribe_models.errors import LayoutError
from motionscribe_models.features import FeatureMap
from motionscribe_models.state import State
from motionscribe_server.session.blocks import in_blocks

LAGS = (1, 3)
"""Moments over which changes are looked at."""
NARROWEST, WIDEST = -6.0, 4.0
"""Of the logarithm of an expected variance."""
PREFIX = "anomaly.pose."
SHAPES: dict[str, tuple[int | None, ...]] = {
    "mean": (None,),
    "scale": (None,),
    "first": (None, None),
    "group": (None, None),
    "second": (None, None),
    "second_bias": (None,),
    "last": (None, None),
    "last_bias": (None,),
}
"""Of the arrays, by their names after PREFIX."""


def inputs_of(frames: Sequence[NDArray[np.floating]]) -> Array:
    """(.., (1 + len(LAGS)) F) of the newest frames (.., F) of 1 + max(LAGS) moments, oldest first."""
    newest = frames[-1]
    return np.concatenate([newest, *(newest - frames[-1 - lag] for lag in LAGS)], axis=-1)


def groups_of(feature_map: FeatureMap) -> list[list[int]]:
    """Each joint, each with all that hangs on it where that is no more than half of the body, and the whole's motion.

    Lists of joints; the last has none, where there are features of the root.
    """
    parents = feature_map.skeleton.parents
    chosen = [int(joint) for joint in dict.fromkeys(feature_map.joints)]
    below: dict[int, list[int]] = {joint: [] for joint in range(len(parents))}
    for joint in chosen:
        above = joint
        while above >= 0:
            below[above].append(joint)
            above = parents[above]
    chains = [below[joint] for joint in chosen if 1 < len(below[joint]) <= len(chosen) / 2]
    whole: list[list[int]] = [[]] if feature_map.representation.root_features else []
    return [*([joint] for joint in chosen), *chains, *whole]


def places_of(feature_map: FeatureMap, groups: Sequence[Sequence[int]]) -> list[NDArray[np.int64]]:
    """The places of each group's features among the inputs."""
    per_joint = len(feature_map.representation.joint_features)
    width, inputs = feature_map.width, 1 + len(LAGS)
    first = {joint: per_joint * place for place, joint in enumerate(feature_map.joints)}
    root = np.arange(width - len(feature_map.representation.root_features), width)
    own = [
        np.concatenate([np.arange(first[j], first[j] + per_joint) for j in group]) if group else root
        for group in groups
    ]
    return [np.concatenate([places + width * part for part in range(inputs)]) for places in own]


def masks_of(places: Sequence[NDArray[np.int64]], inputs: int) -> Single:
    """(G, inputs), 1 where the features of a group are."""
    masks = np.zeros((len(places), inputs), np.float32)
    for row, own in zip(masks, places, strict=True):
        row[own] = 1
    return masks


class PoseModel:
    """The network of one model, shared by its streams."""

    def __init__(self, feature_map: FeatureMap, arrays: Mapping[str, Array]) -> None:
        """`arrays` are those of SHAPES, each under PREFIX. Raises LayoutError where they do not fit."""
        self.groups = groups_of(feature_map)
        places = places_of(feature_map, self.groups)
        part = {name: arrays[PREFIX + name].astype(np.float32) for name in SHAPES}
        self._mean, self._scale = part["mean"], part["scale"]
        self._first, self._group = part["first"], part["group"]
        self._second, self._second_bias = part["second"], part["second_bias"]
        most = -(-max(map(len, places)) // 4) * 4  # whole registers
        wide, inputs = self._group.shape[1], feature_map.width * (1 + len(LAGS))
        wanted = {
            "mean": (inputs,),
            "scale": (inputs,),
            "first": (inputs, wide),
            "group": (len(places), wide),
            "second": (wide, wide),
            "second_bias": (wide,),
            "last": (wide, 2 * inputs),
            "last_bias": (2 * inputs,),
        }
        for name, shape in wanted.items():
            if part[name].shape != shape:
                raise LayoutError(f"{PREFIX}{name}: expected shape {shape}, got {part[name].shape}")
        if not self._scale.min() > 0:
            raise LayoutError(f"{PREFIX}scale: expected values above 0, got {self._scale.min():g}")
        self._places = np.array([[*own, *own[:1].repeat(most - len(own))] for own in places])  # (G, most)
        both = np.concatenate([self._places, self._places + inputs], axis=1)  # means, then logarithms of variances
        self._last = np.ascontiguousarray(part["last"][:, both].swapaxes(0, 1))  # (G, H, 2 most)
        self._last_bias = part["last_bias"][both]
        counts = np.array([*map(len, places)])[:, None]
        belongs = np.arange(most) < counts
        self._weights = (belongs / counts).astype(np.float32)
        self._own = -self._first[self._places] * belongs[:, :, None].astype(np.float32)  # (G, most, H)

    def misfits(self, inputs: Array) -> Array:
        """Inputs (s, D) of s streams to (s, G)."""
        return in_blocks(self._misfits, ((inputs - self._mean) / self._scale).astype(np.float32), len(self.groups))

    def _misfits(self, y: Single) -> Array:
        """Of a block of normalised inputs."""
        own = y[:, self._places].swapaxes(0, 1)  # (G, s, most)
        hidden = own @ self._own  # a masked group takes its part off what the first layer makes of all
        hidden += y @ self._first
        hidden += self._group[:, None]
        hidden = np.maximum(hidden, 0, out=hidden).reshape(-1, self._group.shape[1]) @ self._second
        hidden += self._second_bias
        np.maximum(hidden, 0, out=hidden)
        out = hidden.reshape(len(own), len(y), -1) @ self._last  # (G, s, 2 most)
        out += self._last_bias[:, None]
        expected, variance = out[:, :, : own.shape[2]], out[:, :, own.shape[2] :]
        squares = np.square(own - expected) * np.exp(-np.clip(variance, NARROWEST, WIDEST))
        return np.asarray((squares * self._weights[:, None]).sum(axis=2).T, np.float64)


class PoseMemory:
    """The newest frames of the last moments of one stream."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Forgets what came before a gap."""
        self._frames: list[Single] = []

    def add(self, frames: Single) -> Array:
        """Takes a moment's frames (n, F); returns its inputs (D,). At first the oldest stands for earlier ones."""
        self._frames = [*self._frames, frames[-1].copy()][-1 - max(LAGS) :]
        missing = 1 + max(LAGS) - len(self._frames)
        return inputs_of([*[self._frames[0]] * missing, *self._frames])

    def state(self) -> State:
        """See motionscribe_models/state.py."""
        return {"frames": [frame.copy() for frame in self._frames]}

    def restore(self, state: State) -> None:
        """Goes on where `state` was taken."""
        self._frames = [frame.copy() for frame in state["frames"]]
