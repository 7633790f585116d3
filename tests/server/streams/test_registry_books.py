"""Anything at once: whatever happens to the registry in any order, its books are right."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.registry_house import EDIT, end_of, house, link_of

from motionscribe_server.errors import (
    ExhaustedError,
    ServerError,
)

KEYS = "abcd"
actions = st.tuples(
    st.sampled_from(["open", "open", "open", "resume", "leave", "finish", "edit", "forget", "reap", "die", "durable"]),
    st.sampled_from(KEYS),
    st.integers(0, 3),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(actions, max_size=40))
def test_whatever_happens_at_once_the_books_are_right(
    tmp_path_factory: pytest.TempPathFactory, sequence: list[tuple[str, str, int]]
) -> None:
    """Never more streams than places, a session for each, no lock and no place held by nobody."""

    async def run() -> None:
        async with house(tmp_path_factory.mktemp("house"), max_streams=3) as h:
            tokens: dict[str, str] = {}

            async def act(what: str, key: str) -> None:
                stream = h.registry.find(key)
                match what:
                    case "open" | "resume" | "durable":
                        token = tokens.get(key, "") if what == "resume" else ""
                        _, _, opened = await h.open(key, token, what == "durable")
                        tokens[key] = opened.resume_token
                    case "leave" if stream and stream.owner:
                        await h.registry.leave(stream, stream.owner, done=False)
                    case "finish" if stream and stream.owner and stream.life.has_owner:
                        writer = stream.owner
                        stream.finish()
                        done = await end_of(writer) is None
                        await h.registry.leave(stream, writer, done)
                    case "edit":
                        await h.registry.edit(key, EDIT)
                    case "forget":
                        await h.registry.forget(key)
                    case "reap":
                        h.now += 60.0
                        await h.registry.reap()
                    case "die" if stream:
                        link_of(stream).die()

            tasks = []
            for what, key, pause in sequence:
                tasks.append(asyncio.create_task(act(what, key)))
                for _ in range(pause):
                    await asyncio.sleep(0)
                assert len([s for s in h.registry.streams if s.life.has_owner]) <= 3
            for result in await asyncio.gather(*tasks, return_exceptions=True):
                assert result is None or isinstance(result, ServerError), result
            assert len(h.keys) <= 3
            for stream in h.registry.streams:
                if stream.owner:
                    await h.registry.leave(stream, stream.owner, done=False)
            h.now += 100.0
            await h.registry.reap()
            assert h.keys == set()
            for key in "xyz":
                await h.open(key)
            with pytest.raises(ExhaustedError):
                await h.open("one-too-many")

    asyncio.run(run())
