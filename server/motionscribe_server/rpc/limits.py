"""How much a request may hold: a limit for each text and list in it, checked before anything is done for it.

In: messages from anybody. Out: nothing, or RequestError that says what was expected and what came. A message may have
megabytes (`limits.max_message_bytes`), and others would pay for a name as long as that. A field that is missing here
is found by tests/server/rpc/test_limits.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from google.protobuf.message import Message

from motionscribe_models.manifest import MAX_SIZE
from motionscribe_server.errors import RequestError


@dataclass(frozen=True)
class Text:
    """A text of at most so many characters."""

    characters: int

    def check(self, name: str, value: str) -> None:
        """Raises RequestError."""
        if len(value) > self.characters:
            article = "an" if name[0] in "aeiou" else "a"
            raise RequestError(f"expected {article} {name} of at most {self.characters} characters, got {len(value)}")


@dataclass(frozen=True)
class Entries:
    """A list of at most so many entries; each of a list of texts is limited, too."""

    most: int
    each: Text | None = None

    def check(self, name: str, value: Sequence[str] | Sequence[int] | Sequence[float]) -> None:
        """Raises RequestError."""
        if len(value) > self.most:
            raise RequestError(f"expected at most {self.most} {name}, got {len(value)}")
        if self.each:
            for entry in value:
                self.each.check(f"name in {name}", str(entry))


STREAM_ID, MODEL, VERSION, NAME = Text(128), Text(64), Text(16), Text(128)

LIMITS: Mapping[str, Text | Entries] = {
    "Open.stream_id": STREAM_ID,
    "Open.model": MODEL,
    "Open.version": VERSION,
    "Open.resume_token": Text(128),
    "Skeleton.name": NAME,
    "Skeleton.joints": Entries(MAX_SIZE, NAME),
    "Skeleton.parents": Entries(MAX_SIZE),
    "Skeleton.representation": Text(64),
    "Skeleton.units": Text(64),
    "Skeleton.up_axis": Text(64),
    "Skeleton.offsets": Entries(3 * MAX_SIZE),
    "Skeleton.axes": Entries(3 * MAX_SIZE),
    "FeatureNames.names": Entries(MAX_SIZE, NAME),
    "WatchRequest.stream_id": STREAM_ID,
    "DescribeModelRequest.name": MODEL,
    "DescribeModelRequest.version": VERSION,
    "ListClustersRequest.stream_id": STREAM_ID,
    "DescribeClusterRequest.stream_id": STREAM_ID,
    "RenameClusterRequest.stream_id": STREAM_ID,
    "RenameClusterRequest.name": NAME,
    "MergeClustersRequest.stream_id": STREAM_ID,
    "MergeClustersRequest.sources": Entries(64),
    "SplitClusterRequest.stream_id": STREAM_ID,
    "ListExemplarsRequest.stream_id": STREAM_ID,
    "MapClustersRequest.stream_id": STREAM_ID,
    "ForgetStreamRequest.stream_id": STREAM_ID,
    "ExplainRequest.stream_id": STREAM_ID,
    "ListAnomaliesRequest.stream_id": STREAM_ID,
    "MarkAnomalyRequest.stream_id": STREAM_ID,
    "LoadModelRequest.name": MODEL,
    "LoadModelRequest.version": VERSION,
}
"""By message and field. A model has at most MAX_SIZE columns, a stream 64 clusters that live.

Sizes in Frames must fit each other and the credits: `frames_from_message` and `require_credits` check that.
"""


def check_limits(message: Message) -> None:
    """Raises RequestError for the first field of `message` that is beyond its limit, inner messages included."""
    for field, value in message.ListFields():
        if field.message_type is not None:
            check_limits(value)
        elif limit := LIMITS.get(f"{message.DESCRIPTOR.name}.{field.name}"):
            limit.check(field.name.replace("_", " "), value)
