"""The places that a feed's events go to: opened once for all of its runs, closed all at the same time.

Nothing of a feed's earlier life is lost: a whole file that exists stays, and a new one is written beside it. What could
not be closed, or not in time, is told and remembered.
"""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from motionscribe.sinks import MakeSink, addresses
from motionscribe.sinks.addresses import Place

log = logging.getLogger(__name__)

CLOSING_S = 12.0
"""How long all together may take: receivers that are away save for ten seconds what is left."""

Opened = tuple[MakeSink, AbstractContextManager[MakeSink]]


class Outputs:
    """Of one feed. Its methods may block, and may be called by any thread."""

    def __init__(self, name: str, places: Sequence[str]) -> None:
        self.lost = False
        """Something that was written to a place may not be there."""
        self._name = name
        self._places = tuple(dict.fromkeys(places))
        self._opened: dict[str, Opened] = {}
        self._lock = threading.Lock()
        self._closed = False

    def open(self) -> list[MakeSink]:
        """Those of all places, in their order. Those that are open stay so.

        Raises what a place raises, RuntimeError after `close`.
        """
        for text in self._places:
            if text not in self._opened:
                self._open(text)
        return [self._opened[text][0] for text in self._places]

    def reopen(self) -> None:
        """Closes those whose sinks may have failed. Whole files never do, and go on."""
        whole = [text for text in self._opened if addresses.parse_place(text)[0].whole]
        with self._lock:
            leaving = {text: one for text, one in self._opened.items() if text not in whole}
            self._opened = {text: one for text, one in self._opened.items() if text in whole}
        self._close_all(leaving)

    def close(self) -> None:
        """Returns when all are closed, after CLOSING_S at the latest. What is opened later is closed at once."""
        with self._lock:
            self._closed = True
            leaving, self._opened = self._opened, {}
        self._close_all(leaving)

    def _open(self, text: str) -> None:
        place, address = addresses.parse_place(text)
        if (free := free_address(place, address)) != address:
            log.warning("%s: %s exists and stays: events go to %s", self._name, address, free)
        context = place.open(free)
        opened = (context.__enter__(), context)
        with self._lock:
            closed = self._closed
            if not closed:
                self._opened[text] = opened
        if closed:
            self._close_all({text: opened})
            raise RuntimeError(f"{self._name}: its outputs are closed already")

    def _close_all(self, leaving: dict[str, Opened]) -> None:
        closing = [
            (text, threading.Thread(target=self._close, args=(text, context), name="motionscribe-closing", daemon=True))
            for text, (_, context) in leaving.items()
        ]
        for _, thread in closing:
            thread.start()
        end_s = time.monotonic() + CLOSING_S
        for text, thread in closing:
            thread.join(max(0.0, end_s - time.monotonic()))
            if thread.is_alive():
                self.lost = True
                # an address may hold a secret
                kind = addresses.parse_place(text)[0]
                where = text if addresses.is_file(kind) else f"an output {kind.spelling}"
                log.warning("%s: %s was not closed within %g s", self._name, where, CLOSING_S)

    def _close(self, text: str, context: AbstractContextManager[MakeSink]) -> None:
        try:
            context.__exit__(None, None, None)
        except Exception as error:
            self.lost = True
            log.warning("%s: when it closed its outputs: %s", self._name, str(error) or repr(error))


def free_address(place: Place, address: str) -> str:
    """`address`; of a whole file that exists one beside it, named after the time of the day (UTC)."""
    path = Path(address)
    if not (place.whole and path.is_file()):
        return address
    stem = f"{path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 100))]
    files = [path.with_name(name + path.suffix) for name in names]
    return str(next((file for file in files if not file.exists()), path))
