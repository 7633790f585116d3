"""What stays the same for as long as a stream lives: its names, its model, what was chosen for it. Values only."""

from dataclasses import dataclass

from motionscribe_models.lags import Lag
from motionscribe_server.stream_keys import id_of
from motionscribe_server.streams.catalog import LoadedModel


@dataclass(frozen=True)
class StreamInfo:
    """The constants of one stream."""

    key: str
    """Tenant and stream id (stream_keys.py)."""
    name: str
    """Unique name of this session."""
    token: str
    """The resume token: a client that has it may resume the stream."""
    model: LoadedModel
    lag: Lag
    rate_hz: float
    """Nominal rate of the owner's frames, Hz."""
    credits: int
    """Frames that may be on their way at a time."""
    opened_at: float
    """Seconds of the registry's clock."""

    @property
    def id(self) -> str:
        """The stream id, as its tenant knows it."""
        return id_of(self.key)
