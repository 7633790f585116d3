"""Clips of a cluster as a small moving picture: a GIF of stick figures, side by side.

In: Exemplars. Out: the bytes of a GIF that goes on for ever. Needs the extra `report`.
"""

import io

import numpy as np

from motionscribe.exemplars import Exemplars
from motionscribe_models.arrays import Array
from motionscribe_models.errors import LayoutError, MissingExtraError
from motionscribe_models.kinematics import joint_positions
from motionscribe_models.skeleton import Skeleton, upright

WIDTH, HEIGHT = 150, 190
"""Pixels of a clip."""
MARGIN = 14
YAW = 0.6
"""Radians by which a body in space is turned, so that arms and legs do not hide each other."""
LINE = 3
INK, PAPER, GROUND = (27, 30, 34), (255, 255, 255), (200, 204, 208)


def clips_gif(exemplars: Exemplars) -> bytes:
    """A GIF of all clips. Raises LayoutError where there are none to draw, MissingExtraError without Pillow."""
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtraError("report", "pictures of clusters") from error
    if not exemplars.clips:
        raise LayoutError("expected a cluster with clips, got one that the server keeps none of")
    skeleton = exemplars.skeleton
    figures = [_fitted(_in_the_plane(skeleton, clip.frames.astype(np.float64))) for clip in exemplars.clips]
    pictures = []
    for n in range(max(map(len, figures))):
        picture = Image.new("RGB", (WIDTH * len(figures), HEIGHT), PAPER)
        draw = ImageDraw.Draw(picture)
        for at, places in enumerate(figures):
            joints = places[n % len(places)] + [WIDTH * at, 0]
            draw.line([(WIDTH * at, HEIGHT - MARGIN), (WIDTH * (at + 1), HEIGHT - MARGIN)], GROUND)
            for joint, parent in enumerate(skeleton.parents):
                if parent >= 0 and np.isfinite(joints[[joint, parent]]).all():
                    draw.line([tuple(joints[parent]), tuple(joints[joint])], INK, LINE)
            for x, y in joints[[n for n, name in enumerate(skeleton.joints) if name == "head"]]:
                draw.ellipse([x - 2 * LINE, y - 2 * LINE, x + 2 * LINE, y + 2 * LINE], INK)
        pictures.append(picture)
    buffer = io.BytesIO()
    milliseconds = round(1000 / exemplars.rate_hz)
    pictures[0].save(buffer, "GIF", save_all=True, append_images=pictures[1:], duration=milliseconds, loop=0)
    return buffer.getvalue()


def _in_the_plane(skeleton: Skeleton, frames: Array) -> Array:
    """(K, J, 2) as somebody sees it who looks at the body from the front and a little from the side; y is up."""
    places = joint_positions(skeleton, frames) @ upright(skeleton).T
    x, y, z = np.moveaxis(places, 2, 0)
    return np.stack([x * np.cos(YAW) + z * np.sin(YAW), y], axis=2)


def _fitted(places: Array) -> Array:
    """The same in pixels, the lowest joint on the ground; nothing of the clip lies outside."""
    low, high = np.nanmin(places, axis=(0, 1)), np.nanmax(places, axis=(0, 1))
    scale = min((WIDTH - 2 * MARGIN) / max(high[0] - low[0], 1e-9), (HEIGHT - 2 * MARGIN) / max(high[1] - low[1], 1e-9))
    x = WIDTH / 2 + (places[:, :, 0] - (low[0] + high[0]) / 2) * scale
    y = HEIGHT - MARGIN - (places[:, :, 1] - low[1]) * scale
    return np.stack([x, y], axis=2)
