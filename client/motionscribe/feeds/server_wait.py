"""Waits until a server answers: one of all feeds that wait asks, the others wait for it."""

import asyncio
import logging

from motionscribe.async_client import AsyncClient
from motionscribe.errors import ConnectionFailed, MotionscribeError

log = logging.getLogger(__name__)

ASK_AGAIN_S = 1.0


class ServerWait:
    """Of one server."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._asking = asyncio.Lock()

    async def there(self) -> None:
        """Returns when the server answers, be it with a refusal: a stream will be told the same."""
        async with self._asking:
            told = False
            while True:
                try:
                    await self._client.models()
                except ConnectionFailed as error:
                    if not told:
                        log.warning("waiting for the server: %s", error)
                        told = True
                except MotionscribeError:
                    return
                else:
                    return
                await asyncio.sleep(ASK_AGAIN_S)
