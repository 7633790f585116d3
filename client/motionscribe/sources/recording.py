"""A recording as a source: a file of any format that motionscribe_models reads, or one in memory."""

from collections.abc import AsyncGenerator
from pathlib import Path

from motionscribe.sources.base import Source
from motionscribe_models.recordings import Recording, read_recording
from motionscribe_proto.frames import FrameBlock


class RecordingSource(Source):
    """Frames of a recording, as fast as they are taken; the client paces them where asked."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.name = recording.name
        self.skeleton = recording.skeleton
        self.rate_hz = recording.skeleton.rate_hz
        self.notes = recording.notes

    async def blocks(self, size: int) -> AsyncGenerator[FrameBlock, None]:
        """Slices of the recording, without a copy."""
        recording = self.recording
        whole = FrameBlock(1, recording.frames, recording.timestamps_us, recording.confidences)
        for start in range(0, len(whole), size):
            yield whole.rows(start, min(start + size, len(whole)))


def file_source(path: Path | str, rate_hz: float | None = None) -> RecordingSource:
    """A file as a source; `rate_hz` overrides the file's. Raises RecordingError."""
    return RecordingSource(read_recording(path, rate_hz))
