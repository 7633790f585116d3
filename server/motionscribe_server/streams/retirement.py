"""How a stream leaves the server: what is not in the store yet is written, then its calls, place and session go.

In: a stream whose key the caller holds. Out: nothing of it but what the store keeps.
"""

import logging

from motionscribe_server.errors import FencedError, UnavailableError
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.stream_table import StreamTable

log = logging.getLogger(__name__)


async def retire(stream: LiveStream, table: StreamTable, goes_on: bool = True, reason: Exception | None = None) -> None:
    """Gives a stream up; its clusters stay in the store, and all of it where it is durable and `goes_on` elsewhere.

    An owner that it still has is told the `reason`.
    """
    with table.leaving(stream):
        if goes_on:
            await write_checkpoint(stream)
        is_at_rest = stream.is_at_rest  # the store knows better: somebody may have edited its clusters there
        stream.give_up(reason)
        if not is_at_rest:
            await write_rest(stream)
        table.remove(stream)
    stream.link.forget()


async def write_checkpoint(stream: LiveStream) -> None:
    """Keeps all frames so far, and makes edits that wait. Where it cannot, the client and the store still have them."""
    try:
        await stream.edits.make()
        await stream.checkpoint()
    except (FencedError, UnavailableError) as error:
        log.warning("stream %s has no checkpoint of its last frames: %s", stream.info.name, error)


async def write_rest(stream: LiveStream) -> None:
    """Writes events and clusters, though nobody listens. What cannot be written waits for the next try."""
    if not stream.is_at_rest:
        stream.saver.mark_unsaved()
    try:
        await stream.persist()
    except (FencedError, UnavailableError) as error:
        log.warning("stream %s is not written: %s", stream.info.name, error)
