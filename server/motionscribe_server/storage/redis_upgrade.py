"""Brings a Redis of format 1 to format 2, which has an index of ids by tenant, name and time. It happens once.

Every step may be repeated: two servers that start together do the same, and one that is killed leaves nothing wrong.
"""

import json

import redis

from motionscribe_server.storage.redis_ids import use
from motionscribe_server.storage.redis_keys import KEPT, PREFIX, clusters_key, text
from motionscribe_server.storage.unused import AT_ONCE

SAVED = PREFIX + "saved"
"""Sorted set of format 1: streams by when they were last saved."""


def upgrade(connection: redis.Redis) -> None:
    """The ids of all streams count as used now. Raises what Redis raises."""
    streams = sorted({text(stream) for key in (SAVED, KEPT) for stream in connection.zrange(key, 0, -1)})
    durable = {text(stream) for stream in connection.zrange(KEPT, 0, -1)}
    for first in range(0, len(streams), AT_ONCE):
        some = streams[first : first + AT_ONCE]
        with connection.pipeline(transaction=False) as pipe:
            for stream in some:
                pipe.hvals(clusters_key(stream))
            kept = pipe.execute()
            for stream, models in zip(some, kept, strict=True):
                named = any(cluster["name"] for model in models for cluster in json.loads(model)["clusters"])
                use(pipe, stream, named, stream in durable)
            pipe.execute()
    connection.delete(SAVED)
