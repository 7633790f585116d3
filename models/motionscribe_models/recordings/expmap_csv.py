"""Tables of exponential maps without a header, one frame a line: CMU in 96 or 117 columns, Human3.6M in 99.

The layout is known by the number of columns. Rotation vectors are in radians, translations in the set's units. The
99 columns of Human3.6M come with the root's motion as increments, one frame to the next, in the body's own axes; they
are added up here, so that a recording has a place and a heading: both, and the height, begin at 0, for the files no
longer know them.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings.recording import Recording, even_recording
from motionscribe_models.recordings.skeletons import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99
from motionscribe_models.recordings.table import read_table
from motionscribe_models.rotations import rotation_matrix, rotation_vector

LAYOUTS = {skeleton.width: skeleton for skeleton in (CMU_EXPMAP, H36M_EXPMAP_99, CMU_EXPMAP_117)}


def read_expmap_csv(path: Path, rate_hz: float | None = None) -> Recording:
    """Raises RecordingError for another number of columns, ragged lines, and what is no finite number."""
    table = read_table(path)
    if table.width not in LAYOUTS:
        known = ", ".join(f"{w} ({s.name})" for w, s in sorted(LAYOUTS.items()))
        raise RecordingError(
            f"{table.place(0)}: expected exponential maps of {known} columns, or a header line; got {table.width}"
        )
    values = table.numbers(range(table.width), range(len(table.rows)))
    skeleton = LAYOUTS[table.width]
    if skeleton is H36M_EXPMAP_99:
        values[:, :6] = add_up(values[:, :6])
    return even_recording(path.stem, values, replace(skeleton, rate_hz=rate_hz or skeleton.rate_hz))


def add_up(increments: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root increments (n, 6) to places and inverted rotation vectors (n, 6).

    Row k holds the step from frame k - 1 in the body's axes there, then the rotation from those axes to the new ones.
    """
    turns = rotation_matrix(increments[:, 3:])
    place, axes = np.zeros(3), np.eye(3)
    places, rotations = np.empty((len(turns), 3)), np.empty((len(turns), 3, 3))
    for k, turn in enumerate(turns):
        place = place + axes.T @ increments[k, :3]
        axes = turn @ axes
        places[k], rotations[k] = place, axes
    return np.hstack([places, rotation_vector(rotations)])
