"""What finds people in an image: a small Protocol, and the file of a user that has one.

Estimators want an environment of their own, so that none is among our extras. The variable MOTIONSCRIBE_ESTIMATOR names
a Python file whose function `make_estimator()` returns one; examples/camera_mediapipe.py is such a file.
"""

import os
import runpy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from motionscribe.errors import BadFrames, NotFound
from motionscribe_models.recordings.spaces import METRES_OF_CAMERA, Space
from motionscribe_models.skeleton import Skeleton

VARIABLE = "MOTIONSCRIBE_ESTIMATOR"
HIPS = ("left_hip", "right_hip")
PIXELS = Space("px", 1.0, "-y", False)

Image = NDArray[np.uint8]
"""(height, width, 3): blue, green, red, as OpenCV reads it."""


@dataclass(frozen=True, eq=False)
class Person:
    """A body in one image. Its J joints are those of the estimator, in this order."""

    places: NDArray[np.floating]
    """(J, 2) pixels, x to the right and y down; NaN for a joint that was not found."""
    confidences: NDArray[np.floating]
    """(J,) 0..1."""
    positions: NDArray[np.floating] | None = None
    """(J, 3) metres, x to the right, y down, z away from the camera; None where the estimator knows no depth."""


@runtime_checkable
class Estimator(Protocol):
    """Finds people in images that follow each other."""

    @property
    def joints(self) -> tuple[str, ...]:
        """Names of the J joints, `left_hip` and `right_hip` among them."""

    @property
    def in_space(self) -> bool:
        """Whether people have positions."""

    def find(self, image: Image, time_us: int) -> Sequence[Person]:
        """The people in an image; times increase."""

    def close(self) -> None:
        """Called once, when there are no more images."""


def skeleton_of(estimator: Estimator, rate_hz: float) -> Skeleton:
    """The layout of a person's frames. Raises BadFrames for joints without hips."""
    joints = tuple(estimator.joints)
    if not set(HIPS) <= set(joints):
        raise BadFrames(f"expected an estimator with the joints {' and '.join(HIPS)}, got {', '.join(joints)}")
    kind, space = ("positions", METRES_OF_CAMERA) if estimator.in_space else ("positions2d", PIXELS)
    return Skeleton(
        *("camera", joints, (-1,) * len(joints), kind),
        *(space.units, space.metres_per_unit, space.up_axis, rate_hz),
        level=space.level,
    )


def frame_of(person: Person, skeleton: Skeleton) -> NDArray[np.float32]:
    """(D,) values of a person. Raises BadFrames for other shapes than the skeleton's."""
    J, axes = len(skeleton.joints), skeleton.width // len(skeleton.joints)
    values = person.places if axes == 2 else person.positions
    shapes = tuple(None if array is None else array.shape for array in (person.places, person.confidences, values))
    if shapes != ((J, 2), (J,), (J, axes)):
        raise BadFrames(
            f"expected of the estimator places ({J}, 2), confidences ({J},) and values ({J}, {axes}), "
            f"got {', '.join(map(str, shapes))}"
        )
    return np.asarray(values, np.float32).reshape(-1)


def load_estimator(environment: Mapping[str, str] = os.environ) -> Estimator:
    """What the file that MOTIONSCRIBE_ESTIMATOR names makes.

    Raises NotFound where there is no such file, where its function is missing, or what it imports.
    """
    path = Path(environment.get(VARIABLE, ""))
    if path.suffix != ".py" or not path.is_file():
        raise NotFound(
            f"expected {VARIABLE} to name a Python file that finds people in images, such as "
            f"examples/camera_mediapipe.py, got {environment.get(VARIABLE, 'nothing')!r}"
        )
    try:
        names = runpy.run_path(str(path))
    except ImportError as error:
        needs = path.with_suffix(".txt")
        hint = f": pip install -r {needs}" if needs.is_file() else ""
        raise NotFound(f"{path}: {error}{hint}") from error
    if "make_estimator" not in names:
        raise NotFound(f"{path}: expected a function make_estimator(), found none")
    estimator = names["make_estimator"]()
    if not isinstance(estimator, Estimator):
        raise NotFound(f"{path}: expected make_estimator() to return an Estimator, got {estimator!r:.60}")
    return estimator
