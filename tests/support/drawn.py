"""What tests of pictures and films draw, and the colours that they find in them."""

from collections import Counter
from pathlib import Path

import numpy as np
from matplotlib.colors import to_rgb
from numpy.typing import NDArray
from PIL import Image

from motionscribe_training.evaluation.pictures import Ethogram, ethogram

TIMES = np.arange(100) * 100_000
TRUTH = np.repeat([0, 1, 0], [30, 50, 20])
FINAL = np.repeat([7, 4, 9, 7], [35, 40, 10, 15])


def bars_of(**changes: object) -> Ethogram:
    """Ten seconds of two actions, but for `changes`."""
    arguments = {"times_us": TIMES, "predicted": {"final": FINAL}, "truth": TRUTH, "actions": ("walk", "jump")}
    return ethogram(**{**arguments, **changes})  # type: ignore[arg-type]  # each test changes one of them


def rgb(colour: str) -> tuple[int, ...]:
    """A colour of matplotlib as bytes."""
    return tuple(round(255 * part) for part in to_rgb(colour))


def colours_of(picture: NDArray[np.uint8]) -> Counter[tuple[int, ...]]:
    """Number of pixels of each colour."""
    return Counter(map(tuple, picture[:, :, :3].reshape(-1, 3).tolist()))


def pixels_of(source: Path) -> Counter[tuple[int, ...]]:
    """The same of a picture in a file."""
    return colours_of(np.asarray(Image.open(source).convert("RGB")))
