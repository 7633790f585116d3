"""motionscribe: stream frames of motion to a server, get labels, segments and anomalies back while it happens.

from motionscribe import Client, events

with Client() as client:
    for event in client.stream("86_01.amc"):
        match event:
            case events.SegmentEnded(name=name, start_us=start, end_us=end):
                print(name, start, end)
"""

from motionscribe import errors, events
from motionscribe.aio import AsyncClient
from motionscribe.backoff import Backoff
from motionscribe.catalogue import Cluster, Model, Opened
from motionscribe.client import Client, Stream
from motionscribe.sources import IterableSource, PushSource, RecordingSource, file_source
from motionscribe.stream import AsyncStream
from motionscribe_proto.codec import FrameBlock

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "Backoff",
    "Client",
    "Cluster",
    "FrameBlock",
    "IterableSource",
    "Model",
    "Opened",
    "PushSource",
    "RecordingSource",
    "Stream",
    "errors",
    "events",
    "file_source",
]
