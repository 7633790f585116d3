"""One follower a stream: how long it lives, and what becomes of one that fails."""

import asyncio
from pathlib import Path
from typing import Any

from tests.client.page.test_bridge import with_page
from tests.support.serving import Served
from tests.support.waiting import until

from motionscribe import AsyncClient
from motionscribe.page.hub import Hub
from motionscribe.page.streams import StreamList


def test_a_stream_that_nobody_watches_any_more_is_left(tiny_model: Path, tmp_path: Path) -> None:
    async def test(served: Served, page: str, client: AsyncClient) -> None:
        caller = await served.opened("lab")
        async with StreamList(client) as streams, Hub(client, streams, kept_s=0.3) as hub:
            one, other = object(), object()
            follower = hub.hold("lab", one)
            assert hub.hold("lab", other) is follower
            await until(lambda: served.counted("motionscribe_watchers") == 1)
            await until(lambda: follower.audience.was_open)
            hub.release("lab", one)
            hub.release("lab", other)
            assert hub.hold("lab", one) is follower  # as somebody who reloads the page
            hub.release("lab", one)
            await until(lambda: served.counted("motionscribe_watchers") == 0)
            assert hub.hold("lab", one) is not follower
        await until(lambda: served.counted("motionscribe_watchers") == 0)
        await caller.finish()

    with_page(tiny_model, tmp_path, test)


def test_an_error_that_nobody_foresaw_is_logged_and_the_next_viewer_begins_anew() -> None:
    async def test() -> None:
        logged: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
        async with AsyncClient("127.0.0.1:9") as client:
            client.clusters = _fail  # type: ignore[assignment]
            async with Hub(client, StreamList(client)) as hub:
                holder = object()
                follower = hub.hold("lab", holder)
                await until(lambda: logged != [])
                assert "a bug" in str(logged[0]["exception"].exceptions)
                hub.release("lab", holder)
                assert hub.hold("lab", holder) is not follower

    asyncio.run(test())


async def _fail(_: str) -> Any:
    raise RuntimeError("a bug")
