"""Recordings of motion: what one is, the layouts of public sets, a reader for each file format, and some writers.

reading.py and writing.py have the tables of formats.
"""

from motionscribe_models.recordings.reading import endings, read_recording
from motionscribe_models.recordings.recording import Recording, even_times
from motionscribe_models.recordings.skeletons import CMU_EXPMAP, CMU_EXPMAP_117, H36M_EXPMAP_99
from motionscribe_models.recordings.text import read_text
from motionscribe_models.recordings.writing import write_recording

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
