"""Sends a recording as a Lab Streaming Layer outlet: a motion-capture system for tests and for trying things out."""

import time
import uuid
from collections.abc import Sequence

import numpy as np

from motionscribe.lab_streaming import load_pylsl
from motionscribe.sources.lsl_channels import write_channels
from motionscribe.sources.sending import Actor
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording
from motionscribe_models.skeleton import AXES

# LSL does not say when a sample has arrived
LINGER_S = 1.0
CONSUMER_POLL_S = 0.5
NAME = "motionscribe"
UNITS = {1.0: "meters", 0.01: "centimeters", 0.001: "millimeters"}
"""By their metres. Places in another unit are sent in metres."""
IMAGE_UNITS = {"px": "pixels", "image": "normalized"}


class LslSender:
    """The address `lsl:NAME`, as sources/sending.py wants it: waits for somebody to listen before the first frame.

    The stream is of type MoCap, its channels are labelled with the skeleton's columns, or those of its joints' places
    where the recording holds rotations. Places are described by XDF's meta-data for motion capture, see
    recordings/channels.py, and confidences go with them. Times are the LSL clock at the first frame plus the
    recording's own. Raises MissingExtraError, RecordingError for several people.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        if len(recordings) != 1:
            raise RecordingError(f"expected one recording for LSL, a stream of one person, got {len(recordings)}")
        (recording,) = recordings
        if recording.skeleton.representation not in ("features", "positions", "positions2d"):
            recording = Actor(recording).as_places()  # as capture systems send it, whatever their files hold
        pylsl, skeleton = load_pylsl(), recording.skeleton
        channels = [{"label": column} for column in skeleton.columns]
        self._samples = recording.frames
        if skeleton.representation in ("positions", "positions2d"):
            unit = IMAGE_UNITS.get(skeleton.units) or UNITS.get(skeleton.metres_per_unit)
            channels = _places(recording, unit or "meters")
            scale = 1.0 if unit else skeleton.metres_per_unit
            sure = recording.confidences
            samples = recording.frames * np.float32(scale)
            self._samples = samples if sure is None else np.hstack([samples, sure])
        info = pylsl.StreamInfo(
            *(address or NAME, "MoCap", len(channels), skeleton.rate_hz, pylsl.cf_float32, str(uuid.uuid4()))
        )
        write_channels(info, channels)
        self._outlet = pylsl.StreamOutlet(info)
        while not self._outlet.wait_for_consumers(CONSUMER_POLL_S):
            pass
        self._clock = pylsl.local_clock
        self._offset_s: float | None = None

    def send(self, time_us: int, rows: Sequence[int | None]) -> None:
        """One sample."""
        if self._offset_s is None:
            self._offset_s = self._clock() - time_us / 1e6
        (row,) = rows
        if row is not None:
            self._outlet.push_sample(self._samples[row], self._offset_s + time_us / 1e6)

    def close(self) -> None:
        """Returns when the last samples had time to arrive."""
        time.sleep(LINGER_S)


def _places(recording: Recording, unit: str) -> list[dict[str, str]]:
    """The fields of each channel."""
    joints, columns = recording.skeleton.joints, recording.skeleton.columns
    axes = AXES[: len(columns) // len(joints)]
    kinds = [(joint, f"Position{axis.upper()}") for joint in joints for axis in axes]
    channels = [
        {"label": column, "marker": joint, "type": kind, "unit": unit}
        for column, (joint, kind) in zip(columns, kinds, strict=True)
    ]
    if recording.confidences is not None:
        channels += [
            {"label": f"{joint}.confidence", "marker": joint, "type": "Confidence", "unit": "normalized"}
            for joint in joints
        ]
    return channels
