"""examples/camera_rtmlib.py with a stand-in for rtmlib, whose models cannot be fetched in CI."""

import asyncio
import sys
from contextlib import aclosing
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.support.squares import BODY, Squares, draw

from motionscribe.sources.camera import CameraSource
from motionscribe.sources.camera.estimator import VARIABLE, Image, load_estimator
from motionscribe.sources.camera.images import Images

EXAMPLE = Path(__file__).parents[2] / "examples" / "camera_rtmlib.py"


class Body:
    """Answers as rtmlib 0.0.16 does: where nobody is found, with what may be joints anywhere in the image."""

    def __init__(self, *, mode: str, backend: str, device: str) -> None:
        assert (mode, backend, device) == ("balanced", "onnxruntime", "cpu")
        self._squares = Squares()

    def __call__(self, image: Image) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
        people = self._squares.find(image, 0)
        if not people:
            return np.zeros((1, len(BODY), 2)), np.full((1, len(BODY)), 0.1, np.float32)
        return np.array([one.places for one in people]), np.full((len(people), len(BODY)), 1.2, np.float32)


def test_people_have_joints_in_pixels_and_nobody_is_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtmlib", SimpleNamespace(Body=Body))
    two = {0: (80.0, 100.0), 2: (240.0, 120.0)}
    video = draw(tmp_path / "squares.avi", [*[{}] * 10, *[two] * 20])

    async def run() -> None:
        source = CameraSource(Images(str(video)), load_estimator({VARIABLE: str(EXAMPLE)}))
        assert source.skeleton.representation == "positions2d"
        async with aclosing(source.people()) as people:
            found = [await anext(people), await anext(people)]
            assert await anext(people, None) is None
        for person, middle in zip(found, ((80, 100), (240, 120)), strict=True):
            blocks = [block async for block in person.blocks(100)]
            np.testing.assert_allclose(blocks[0].values[0].reshape(-1, 2), middle + BODY, atol=1.5)
            assert blocks[0].confidences is not None
            assert (blocks[0].confidences == 1).all()

    asyncio.run(run())
