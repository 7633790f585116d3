"""Channels of Lab Streaming Layer that are places of joints, by their meta-data, live or as LabRecorder wrote them.

In: of each channel the fields `label`, `marker`, `object`, `type` and `unit`; samples. Out: joints, where they are, and
how sure that is. The fields are those of XDF's meta-data for motion capture, which say nothing of the axes:
https://github.com/sccn/xdf/wiki/MoCap-Meta-Data
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.recordings.joint_columns import JointColumns, joint_columns
from motionscribe_models.recordings.keypoints import Keypoints
from motionscribe_models.recordings.spaces import Space, guessed_space, image_space

_UNITS = {"m": "m", "meter": "m", "meters": "m", "metre": "m", "metres": "m", "cm": "cm", "centimeters": "cm"}
_UNITS |= {"centimetres": "cm", "mm": "mm", "millimeter": "mm", "millimeters": "mm", "millimetres": "mm"}


@dataclass(frozen=True)
class PlaceChannels:
    """Which channels are places of joints, and how sure they are."""

    columns: JointColumns
    unit: str
    """`m`, `cm` or `mm`; empty where the channels do not agree on one of these."""

    def keypoints(self, samples: NDArray[np.float64]) -> Keypoints:
        """Of samples (n, C)."""
        columns = self.columns
        places = np.stack([samples[:, list(place)] for place in columns.places], axis=1)
        return Keypoints(columns.joints, places, samples[:, list(columns.sure)] if columns.sure else None)

    def space(self, found: Keypoints) -> Space:
        """The unit that was told, and the axes that the places show."""
        if found.places.shape[2] == 2:
            return image_space(found.places)
        return guessed_space(found.joints, found.places, self.unit)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is left out, for people."""
        left_out = len(self.columns.left_out)
        return (f"{left_out} channels left out, which are no places of joints",) if left_out else ()


def place_channels(channels: Sequence[Mapping[str, str]]) -> PlaceChannels | None:
    """None unless there are places of three joints or more.

    Types tell which channels these are (`PositionX` of a marker), and others may stand beside them. Without types all
    labels must be those of places (`head_x`).
    """
    columns = _by_types(channels) or joint_columns([channel.get("label", "") for channel in channels])
    if columns is None:
        return None
    units = {_UNITS.get(channels[n].get("unit", "").lower(), "") for place in columns.places for n in place}
    return PlaceChannels(columns, units.pop() if len(units) == 1 else "")


def _by_types(channels: Sequence[Mapping[str, str]]) -> JointColumns | None:
    names = {n: name for n, channel in enumerate(channels) if (name := _name(channel))}
    found = joint_columns(list(names.values()))
    if found is None:
        return None
    numbers = list(names)
    places = tuple(tuple(numbers[n] for n in place) for place in found.places)
    sure = tuple(numbers[n] for n in found.sure)
    used = {*sure, *(n for place in places for n in place)}
    left_out = tuple(n for n in range(len(channels)) if n not in used)
    return replace(found, places=places, sure=sure, left_out=left_out)


def _name(channel: Mapping[str, str]) -> str:
    """A name as of a column: the marker's, and its axis or how sure it is. Empty for a channel of another type."""
    kind = channel.get("type", "").lower().removeprefix("position")
    whose = channel.get("marker") or channel.get("object") or channel.get("label", "")
    return f"{whose}_{kind}" if kind in ("x", "y", "z", "confidence") else ""
