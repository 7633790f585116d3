"""motionscribe: stream frames of motion to a server, get labels, segments and anomalies back while it happens.

from motionscribe import Client, events

with Client() as client:
    for event in client.stream("86_01.amc"):
        match event:
            case events.SegmentEnded(name=name, start_us=start, end_us=end):
                print(name, start, end)
"""

from motionscribe import errors, events
from motionscribe.async_client import AsyncClient
from motionscribe.client import Client, Stream
from motionscribe.connection.backoff import Backoff
from motionscribe.connection.stream import AsyncStream
from motionscribe.descriptions import Cluster, KeptAnomaly, Model, Opened, StreamInfo
from motionscribe.exemplars import ClusterMap, Exemplar, Exemplars
from motionscribe.explanations import Explanation
from motionscribe.poses import Poses
from motionscribe.sources import IterableSource, PushSource, RecordingSource, file_source
from motionscribe_models.skeleton import Skeleton
from motionscribe_proto.frames import FrameBlock

__all__ = [
    "AsyncClient",
    "AsyncStream",
    "Backoff",
    "Client",
    "Cluster",
    "ClusterMap",
    "Exemplar",
    "Exemplars",
    "Explanation",
    "FrameBlock",
    "IterableSource",
    "KeptAnomaly",
    "Model",
    "Opened",
    "Poses",
    "PushSource",
    "RecordingSource",
    "Skeleton",
    "Stream",
    "StreamInfo",
    "errors",
    "events",
    "file_source",
]
