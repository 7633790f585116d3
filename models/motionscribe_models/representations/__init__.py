"""The representations of motion that a skeleton can have: one class a file, and this table of them.

A new one is a file with a subclass of Representation and a line here. Validation, error messages, features, training
and pictures all go through the table; nothing else compares the names.
"""

from motionscribe_models.representations.base import Representation
from motionscribe_models.representations.body import Body, ImageBody
from motionscribe_models.representations.expmap import Expmap
from motionscribe_models.representations.features import Features
from motionscribe_models.representations.positions import ImagePositions, Positions
from motionscribe_models.representations.quaternion import Quaternion

REPRESENTATIONS: dict[str, Representation] = {
    "expmap": Expmap(),
    "quaternion": Quaternion(),
    "positions": Positions(),
    "positions2d": ImagePositions(),
    "body": Body(),
    "body2d": ImageBody(),
    "features": Features(),
}
"""Name in a skeleton, on the wire and in manifest.json -> what its numbers mean."""

__all__ = ["REPRESENTATIONS", "Representation"]
