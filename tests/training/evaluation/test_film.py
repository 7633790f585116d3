"""film.py and video.py: a film shows what was said at each time."""

import shutil
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from numpy.typing import NDArray
from PIL import Image
from PIL.GifImagePlugin import GifImageFile
from tests.support.drawn import FINAL, TIMES, bars_of, colours_of, rgb

from motionscribe_models.kinematics import joint_positions
from motionscribe_models.recordings import read_recording
from motionscribe_training.evaluation.film import Film, Scene
from motionscribe_training.evaluation.pictures import (
    COLOURS,
    GREYS,
)
from motionscribe_training.evaluation.video import VideoError, save_video


def scene_of(**changes: object) -> Scene:
    """A two-joint stick that walks along x for ten seconds."""
    positions = np.zeros((100, 2, 3))
    positions[:, :, 0] = np.linspace(0, 5, 100)[:, None]
    positions[:, 1, 1] = 1.7
    angle = np.linspace(0, 2 * np.pi, 100)
    arguments = {
        "times_us": TIMES,
        "positions": positions,
        "joints": ("root", "head"),
        "parents": (-1, 0),
        "up": 1,
        "moments_us": TIMES,
        "embedding": np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=1),
        "tones": np.minimum(FINAL, 2),
        "bars": bars_of(),
    }
    return Scene(**{**arguments, **changes})


def bones_of(axes: Axes) -> list[NDArray[np.float64]]:
    """Ends (2, 2) of each line that a body is drawn with."""
    (bones,) = axes.collections
    assert isinstance(bones, LineCollection)
    return [np.asarray(bone) for bone in bones.get_segments()]


def test_the_film_moves_with_time() -> None:
    film = Film(scene_of())
    body, _, bars = film.figure.axes
    cursors = []
    for second in (0, 4, 9):
        film.show(second * 1_000_000)
        cursors.append(float(np.asarray(bars.lines[-1].get_xdata())[0]))
        (bone,) = bones_of(body)
        # the camera keeps the walker in the middle, upright and as tall as ever
        assert bone == pytest.approx(np.array([[0, 0], [0, 1.7]]))
    assert cursors == [0, 4, 9]


@pytest.mark.parametrize(("before", "moment"), [((), 0), ((0, 5, 6, 40), 70), ((99, 3), 30), ((50,), 0)])
def test_a_picture_is_that_of_a_figure_drawn_anew_whatever_was_shown_before(
    before: tuple[int, ...], moment: int
) -> None:
    film, slow = Film(scene_of()), Film(scene_of())
    for other in before:
        film.show(other * 100_000)
    picture = film.show(moment * 100_000).copy()
    slow.show(moment * 100_000)
    buffer = BytesIO()
    slow.figure.savefig(buffer, format="png")  # all of it, by the library
    assert np.abs(np.asarray(Image.open(buffer), int) - picture).max() <= 1


def test_labels_ahead_of_the_cursor_are_veiled_and_the_truth_is_not() -> None:
    film = Film(scene_of())
    for time_us, visible in ((0, False), (9_900_000, True)):
        counts = colours_of(film.show(time_us))
        legend_patch = 1_000
        assert (counts[rgb(GREYS[0])] > legend_patch) == visible
        assert counts[rgb(COLOURS[1])] > legend_patch


def test_a_gif_has_ten_pictures_a_second(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    assert save_video(path, scene_of(), seconds=0.5) == 6
    with Image.open(path) as film:
        assert isinstance(film, GifImageFile)
        assert film.n_frames == 6
        assert film.info["duration"] == 100
        first = np.asarray(film.convert("RGB"), dtype=int)
        film.seek(5)
        assert np.abs(np.asarray(film.convert("RGB"), dtype=int) - first).max() > 100


def test_a_film_is_no_longer_than_its_scene(tmp_path: Path) -> None:
    short = scene_of(times_us=TIMES // 50)  # 0.198 s
    assert save_video(tmp_path / "film.gif", short, seconds=60) == 2


def test_mp4_goes_through_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "ffmpeg"
    tool.write_text('#!/bin/sh\nfor last; do :; done\ncat > "$last"\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    path = tmp_path / "film.mp4"
    assert save_video(path, scene_of(), seconds=0.2) == 3
    assert path.stat().st_size == 3 * 1000 * 680 * 4  # raw pictures, RGBA


def test_what_ffmpeg_says_when_it_fails_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "ffmpeg"
    tool.write_text("#!/bin/sh\necho Unknown encoder >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(VideoError, match=r"film\.mp4: ffmpeg failed: Unknown encoder"):
        save_video(tmp_path / "film.mp4", scene_of(), seconds=9)


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg on PATH")
def test_mp4_with_the_real_ffmpeg(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    save_video(path, scene_of(), seconds=0.5)
    assert b"ftyp" in path.read_bytes()[:64]


def test_what_cannot_be_written_is_said_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VideoError, match=r"film\.mp4: \.mp4 needs ffmpeg.*write a \.gif"):
        save_video(tmp_path / "film.mp4", scene_of())
    with pytest.raises(VideoError, match=r"ending in \.mp4 or \.gif, got \.avi"):
        save_video(tmp_path / "film.avi", scene_of())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"joints": ("root",)}, r"expected positions \(100, 1, 3\)"),
        ({"parents": (-1,)}, "as many parents"),
        ({"embedding": np.zeros((100, 1))}, r"embedding \(m, 2 or more\)"),
        ({"tones": FINAL[:-1]}, "as many times and tones as embeddings, 100, got 100 and 99"),
    ],
)
def test_a_scene_that_does_not_fit_together_is_refused(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(ValueError, match=expected):
        scene_of(**changes)


@pytest.mark.data
def test_a_real_performer_stands_on_the_floor(data_dir: Path) -> None:
    recording = read_recording(data_dir / "sub86" / "01.mat")
    skeleton = recording.skeleton
    frames = slice(0, 600, 6)
    film = Film(
        scene_of(
            times_us=recording.timestamps_us[frames],
            positions=joint_positions(skeleton, recording.frames[frames]),
            joints=skeleton.joints,
            parents=skeleton.parents,
            up=skeleton.up,
        )
    )
    body = film.figure.axes[0]
    (low, high), bones = body.get_ylim(), [joint for joint in skeleton.joints if joint != "root"]
    for time_us in (0, 2_000_000, 4_500_000):
        film.show(time_us)
        ends = dict(zip(bones, [bone[1] for bone in bones_of(body)], strict=True))
        heights = {joint: (end[1] - low) / (high - low) for joint, end in ends.items()}
        assert heights["head"] > 0.85
        assert min(heights["lfoot"], heights["rfoot"]) < 0.2
        assert all(body.get_xlim()[0] < end[0] < body.get_xlim()[1] for end in ends.values())
