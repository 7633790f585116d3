"""A stretch of one stream, half-open in frame numbers and in source time; what every score and label is about.

Pure value, no clock: `start_us` and `end_us` are int64 microseconds of the sender's clock, as on the wire.
"""

from dataclasses import dataclass

from motionscribe_models.errors import LayoutError


@dataclass(frozen=True, slots=True)
class Span:
    """Frames [start_seq, end_seq), shown in [start_us, end_us). Raises LayoutError when an end is before its start."""

    start_seq: int
    """First frame, counted from 1."""
    end_seq: int
    """First frame no longer part of it."""
    start_us: int
    end_us: int

    def __post_init__(self) -> None:
        if not (1 <= self.start_seq <= self.end_seq):
            raise LayoutError(f"expected 1 <= start_seq <= end_seq, got {self.start_seq} and {self.end_seq}")
        if self.start_us > self.end_us:
            raise LayoutError(f"expected start_us <= end_us, got {self.start_us} and {self.end_us}")

    @property
    def seconds(self) -> float:
        """Length in seconds of source time."""
        return (self.end_us - self.start_us) / 1e6
