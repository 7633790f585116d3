"""The part of `motionscribe stream` that has many streams at a time: those of the people before a camera."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from motionscribe.async_client import AsyncClient
from motionscribe.commands.options import client_arguments
from motionscribe.commands.showing import sinks_of
from motionscribe.commands.stream_options import introduce, stream_options
from motionscribe.sinks import MakeSink
from motionscribe.sources.camera import CameraSource
from motionscribe.sources.camera.people import PersonSource


def stream_people(args: argparse.Namespace, text: str, camera: CameraSource, makers: Sequence[MakeSink]) -> None:
    """A stream for each person, with the ids STREAMID-1, STREAMID-2, ...; `camera` where no id was given.

    Returns when all have ended. Raises the first failure of a stream, at once, and that of the camera, when the streams
    have ended.
    """
    try:
        asyncio.run(_stream_people(args, text, camera, makers))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _stream_people(args: argparse.Namespace, text: str, camera: CameraSource, makers: Sequence[MakeSink]) -> None:
    async def stream(person: PersonSource) -> None:
        stream_id = f"{args.stream_id or camera.name}-{person.number}"
        pace = None if camera.live else args.speed
        async with client.stream(person, stream_id=stream_id, realtime=pace, **stream_options(args)) as events:
            with sinks_of(makers, introduce(text, events.opened)) as write:
                async for event in events:
                    write(event)

    failure: Exception | None = None
    async with AsyncClient(**client_arguments(args)) as client, asyncio.TaskGroup() as streams:
        try:
            async with aclosing(camera.people()) as people:
                async for person in people:
                    streams.create_task(stream(person))
        except Exception as error:
            failure = error  # what was found before is labelled to its end
    if failure:
        raise failure
