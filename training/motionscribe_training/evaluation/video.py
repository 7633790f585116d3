"""A recording as a film in one file: the pictures of film.py, ten a second.

In: a Scene, or what one is made of. Out: `.mp4`, which needs ffmpeg, or `.gif`.
"""

import contextlib
import itertools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from motionscribe_models.arrays import Array
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.new_file import new_file
from motionscribe_models.recordings import Recording
from motionscribe_training.errors import TrainingError
from motionscribe_training.evaluation.film import Film, Scene
from motionscribe_training.evaluation.metrics import Labels
from motionscribe_training.evaluation.pictures import Ethogram
from motionscribe_training.evaluation.unseen_joints import filled

FPS = 10
"""Pictures per second of film: enough to recognise an action."""

Picture = NDArray[np.uint8]


class VideoError(TrainingError):
    """The film cannot be written in this form."""


def scene_of(recording: Recording, moments_us: Labels, embedding: Array, clusters: Labels, bars: Ethogram) -> Scene:
    """The scene of a recording; `clusters` (n,) by frame colour the embedding, -1 for none.

    Raises LayoutError for a skeleton whose joints have no place.
    """
    every = max(1, round(recording.skeleton.rate_hz / FPS))
    spoken = clusters[np.searchsorted(recording.timestamps_us, moments_us)]
    return Scene(
        recording.timestamps_us[::every],
        filled(joint_positions(recording.skeleton, recording.frames[::every])),
        recording.skeleton.joints,
        recording.skeleton.parents,
        recording.skeleton.up,
        moments_us,
        embedding,
        np.array([bars.tones.get(cluster, -1) for cluster in spoken.tolist()], np.int64),
        bars,
    )


def check_video(path: Path) -> None:
    """Raises VideoError where `save_video` would; needs no scene."""
    if path.suffix not in (".gif", ".mp4"):
        raise VideoError(f"{path}: expected a name ending in .mp4 or .gif, got {path.suffix or 'no ending'}")
    if path.suffix == ".mp4" and shutil.which("ffmpeg") is None:
        raise VideoError(f"{path}: .mp4 needs ffmpeg, and there is none on PATH: install it or write a .gif")


def save_video(path: Path, scene: Scene, seconds: float | None = None) -> int:
    """Writes the first `seconds` (all, when None) as `.mp4` or `.gif`; returns the number of pictures.

    A terminal shows how far it is. Raises VideoError for another ending, and for `.mp4` where there is no ffmpeg, or
    one that fails.
    """
    check_video(path)
    lasts_s = float(scene.times_us[-1] - scene.times_us[0]) / 1e6
    count = int(min(lasts_s, lasts_s if seconds is None else seconds) * FPS) + 1
    film, start_us = Film(scene), int(scene.times_us[0])
    times = tqdm(range(count), unit="picture", desc=path.name, disable=None)  # None: shown on a terminal only
    pictures = (film.show(start_us + round(number * 1e6 / FPS)) for number in times)
    with new_file(path) as beside:
        if path.suffix == ".gif":
            last = film.show(start_us + round(lasts_s * 1e6)).copy()
            _write_gif(beside, pictures, last)
        else:
            _write_mp4(beside, pictures, path)
    return count


def _write_gif(path: Path, pictures: Iterator[Picture], last: Picture) -> None:
    """With the colours of the `last` picture, which has all that there are."""
    palette = Image.fromarray(last).convert("RGB").quantize()

    def reduced() -> Iterator[Image.Image]:
        for picture in pictures:
            yield Image.fromarray(picture).convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE)

    images = reduced()
    next(images).save(path, save_all=True, append_images=images, duration=1000 // FPS, loop=0)


def _write_mp4(beside: Path, pictures: Iterator[Picture], path: Path) -> None:
    """Pipes raw pictures into ffmpeg, which writes `beside`. Raises VideoError with what it says where it fails."""
    first = next(pictures)
    height, width, _ = first.shape
    feed = ["-f", "rawvideo", "-pix_fmt", "rgba", "-s", f"{width}x{height}", "-r", str(FPS), "-i", "-"]
    command = ["ffmpeg", "-y", "-loglevel", "error", *feed, "-c:v", "h264", "-pix_fmt", "yuv420p", str(beside)]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said)
        with contextlib.suppress(BrokenPipeError), process:  # it says itself why it left
            for picture in itertools.chain([first], pictures):
                if process.stdin:
                    process.stdin.write(picture.data)
        if process.returncode:
            said.seek(0)
            raise VideoError(f"{path}: ffmpeg failed: {said.read().decode(errors='replace').strip()[-500:]}")
