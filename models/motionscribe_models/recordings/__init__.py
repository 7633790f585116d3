"""Recordings of motion: what one is, the layouts of public sets, and a reader for each file format.

reading.py has the table of formats.
"""

from motionscribe_models.recordings.npz import write_recording
from motionscribe_models.recordings.reading import endings, read_recording
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.skeletons import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99
from motionscribe_models.recordings.text import read_text

__all__ = [
    "CMU_EXPMAP",
    "CMU_EXPMAP_117",
    "H36M_EXPMAP_99",
    "Recording",
    "endings",
    "even_times",
    "read_recording",
    "read_text",
    "write_recording",
]
