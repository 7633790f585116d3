"""Segmentation over gRPC: live streams, watching and listing them.

In: StreamRequests. Out: StreamResponses. One task reads and one writes; all decisions are made by the registry and the
stream. The writer ends the call, so that events that are ready leave before an error does.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from motionscribe_proto import segmentation_pb2 as pb
from motionscribe_proto.segmentation_pb2_grpc import SegmentationServicer
from motionscribe_server.access.quota import Quota
from motionscribe_server.errors import PreconditionError, RequestError, UnavailableError
from motionscribe_server.metrics import Metrics
from motionscribe_server.rpc.calls import Context, RpcCalls
from motionscribe_server.rpc.limits import STREAM_ID, check_limits
from motionscribe_server.stream_keys import tenant_of
from motionscribe_server.streams.frame_layout import FrameLayout, find_layout
from motionscribe_server.streams.live_stream import LiveStream
from motionscribe_server.streams.messages import live_stream_message
from motionscribe_server.streams.registry import Registry
from motionscribe_server.streams.update_writer import UpdateWriter

HALF_CLOSE_S = 1.0
"""A half-close without Close counts when the call lives after so long: some clients half-close when they cancel."""


class SegmentationService(SegmentationServicer):
    """See segmentation.proto for the statuses."""

    def __init__(self, registry: Registry, calls: RpcCalls, quota: Quota, metrics: Metrics) -> None:
        self._registry = registry
        self._calls = calls
        self._quota = quota
        self._metrics = metrics

    async def Stream(self, _requests: AsyncIterator[pb.StreamRequest], context: Context) -> None:  # noqa: N802
        """One live stream."""
        async with self._calls(context, "Stream") as call:
            patience_s = self._registry.settings.limits.idle_timeout_s
            message = await self._read_open(context)
            call.stream = message.stream_id[: STREAM_ID.characters]
            check_limits(message)
            stream, writer, opened = await self._registry.open(message, call.tenant)
            self._calls.note(call, "resumed" if opened.resumed else "opened")
            reader = None
            done = False
            try:
                with self._metrics.streams.track_inprogress():
                    await _write_in_time(context, pb.StreamResponse(opened=opened), patience_s)
                    layout = find_layout(stream.info.model, message)
                    reader = asyncio.create_task(self._read(stream, layout, writer, context))
                    await writer.drain(context.write, stream.persist, patience_s)
                    done = True
            finally:
                if reader:
                    reader.cancel()
                    await asyncio.wait([reader])
                await self._registry.leave(stream, writer, done)

    async def Watch(self, request: pb.WatchRequest, context: Context) -> None:  # noqa: N802
        """The events of somebody else's stream, from now on."""
        async with self._calls(context, "Watch", request) as call:
            stream = self._registry.live(call.key)
            patience_s = self._registry.settings.limits.idle_timeout_s
            writer = stream.watch(request.provisional, request.poses)
            self._calls.note(call, "opened")
            try:
                with self._metrics.watchers.track_inprogress():
                    # from here on nothing is missed
                    first = pb.StreamResponse(update=pb.Update(start_us=stream.start_us))
                    await _write_in_time(context, first, patience_s)
                    await writer.drain(context.write, stream.persist, patience_s)
            finally:
                stream.listeners.remove_watcher(writer)

    async def ListStreams(  # noqa: N802
        self, _request: pb.ListStreamsRequest, context: Context
    ) -> pb.ListStreamsResponse:
        """The caller's streams that are live or can be resumed."""
        async with self._calls(context, "ListStreams") as call:
            return pb.ListStreamsResponse(streams=map(live_stream_message, self._registry.streams_of(call.tenant)))
        raise AssertionError("unreachable: abort raises")

    async def _read_open(self, context: Context) -> pb.Open:
        """The first message of a call, which must be Open."""
        timeout = self._registry.settings.limits.idle_timeout_s
        try:
            async with asyncio.timeout(timeout):
                request = await _read_message(context)
        except TimeoutError:
            raise UnavailableError(f"expected Open within {timeout:g} s, got nothing") from None
        kind = "the end of the call" if request is grpc.aio.EOF else request.WhichOneof("message")
        if kind != "open":
            raise PreconditionError(f"expected Open as the first message, got {kind}")
        message: pb.Open = request.open
        return message

    async def _read(self, stream: LiveStream, layout: FrameLayout, writer: UpdateWriter, context: Context) -> None:
        """Hands the owner's messages to the stream until Close or the end.

        What is refused is the end as well: the call ends with its error when all before it is told.
        """
        try:
            while (request := await _read_message(context)) is not grpc.aio.EOF:
                if writer.ended:  # another connection owns the stream by now
                    return
                stream.last_message_at = self._registry.now()
                match request.WhichOneof("message"):
                    case "frames":
                        block = await layout.read(request.frames)
                        wait_s = self._quota.spend(tenant_of(stream.info.key), len(block), request.frames.ByteSize())
                        if wait_s > 0:
                            # before they are computed: another call of the tenant would wait as long
                            stream.last_message_at = self._registry.now() + wait_s
                            await asyncio.sleep(wait_s)
                            self._metrics.throttled.inc(wait_s)
                        if not writer.ended:
                            stream.receive_frames(block)
                    case "ack":
                        stream.acknowledge(request.ack.last_event)
                    case "close":
                        stream.finish()
                        return
                    case "open":
                        raise PreconditionError("expected Frames, Ack or Close, got a second Open")
                    case _:
                        raise RequestError("expected Frames, Ack or Close, got an empty message")
            # a lost client, a message that is too large and a cancelled call look like a half-close at first
            await writer.confirm()
            await asyncio.sleep(HALF_CLOSE_S)
            await writer.confirm()
            if not writer.ended:
                stream.finish()
        except Exception as error:
            if not writer.ended:
                stream.finish(error)


async def _read_message(context: Context) -> Any:
    """A StreamRequest, or grpc.aio.EOF. Raises RequestError for bytes that are none."""
    try:
        return await context.read()
    except DecodeError:
        raise RequestError("expected a StreamRequest, got bytes that are none") from None


async def _write_in_time(context: Context, message: pb.StreamResponse, patience_s: float) -> None:
    try:
        async with asyncio.timeout(patience_s):
            await context.write(message)
    except TimeoutError:
        raise UnavailableError(f"expected a client that reads, got none for {patience_s:g} s") from None
