"""Sends a recording as a Lab Streaming Layer outlet: a motion-capture system for tests and for trying things out."""

import time
import uuid
from collections.abc import Sequence

from motionscribe.lab_streaming import load_pylsl
from motionscribe_models.errors import RecordingError
from motionscribe_models.recordings import Recording

# LSL does not say when a sample has arrived
LINGER_S = 1.0
CONSUMER_POLL_S = 0.5
NAME = "motionscribe"


class LslSender:
    """The address `lsl:NAME`, as sources/sending.py wants it: waits for somebody to listen before the first frame.

    The stream is of type MoCap, its channels are labelled with the skeleton's columns. Times are the LSL clock at the
    first frame plus the recording's own. Raises MissingExtraError, RecordingError for several people.
    """

    def __init__(self, recordings: Sequence[Recording], address: str) -> None:
        if len(recordings) != 1:
            raise RecordingError(f"expected one recording for LSL, a stream of one person, got {len(recordings)}")
        (self._recording,) = recordings
        pylsl, skeleton = load_pylsl(), self._recording.skeleton
        info = pylsl.StreamInfo(
            *(address or NAME, "MoCap", skeleton.width, skeleton.rate_hz, pylsl.cf_float32, str(uuid.uuid4()))
        )
        info.set_channel_labels(list(skeleton.columns))
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
            self._outlet.push_sample(self._recording.frames[row], self._offset_s + time_us / 1e6)

    def close(self) -> None:
        """Returns when the last samples had time to arrive."""
        time.sleep(LINGER_S)
