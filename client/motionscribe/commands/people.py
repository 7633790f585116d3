"""The part of `motionscribe stream` that has many streams at a time: those of the people in one feed."""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import aclosing

from motionscribe.async_client import AsyncClient
from motionscribe.commands.options import client_arguments
from motionscribe.commands.showing import sinks_of
from motionscribe.commands.stream_options import introduce, stream_options
from motionscribe.sinks import MakeSink
from motionscribe.sources import Source
from motionscribe.sources.camera import CameraSource
from motionscribe.sources.live_feed import LiveFeed
from motionscribe_models.body.own_names import read_own_names, renamed

PeopleSource = CameraSource | LiveFeed


def stream_people(args: argparse.Namespace, text: str, feed: PeopleSource, makers: Sequence[MakeSink]) -> None:
    """A stream for each person, with the ids STREAMID-1, STREAMID-2, ...; the feed's name where no id was given.

    One person, whom `--person` names or since the feed knows no others, has STREAMID itself. Returns when all have
    ended. Raises the first failure of a stream, at once, and that of the feed, when the streams have ended.
    """
    try:
        asyncio.run(_stream_people(args, text, feed, makers))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _stream_people(args: argparse.Namespace, text: str, feed: PeopleSource, makers: Sequence[MakeSink]) -> None:
    several = feed.several and not args.person
    names = read_own_names(args.joints) if args.joints else {}

    async def stream(person: Source) -> None:
        stream_id = args.stream_id or feed.name
        if names and person.skeleton:
            person.skeleton = renamed(person.skeleton, names)
        pace = None if feed.live else args.speed
        async with client.stream(
            person,
            stream_id=f"{stream_id}-{person.person}" if several else stream_id,
            realtime=pace,
            **stream_options(args),
        ) as events:
            with sinks_of(makers, introduce(text, events.opened, person.clock)) as write:
                async for event in events:
                    write(event)

    failure: Exception | None = None
    async with AsyncClient(**client_arguments(args)) as client, asyncio.TaskGroup() as streams:
        try:
            async with aclosing(feed.people()) as people:
                async for person in people:
                    if args.person in (None, person.person):
                        streams.create_task(stream(person))
        except Exception as error:
            failure = error  # what was found before is labelled to its end
    if failure:
        raise failure
