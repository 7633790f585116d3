"""A live region of the terminal for the tables of all streams that are shown at a time.

Where the output is no terminal, only the final table of each stream is printed.
"""

from collections.abc import Callable

from rich.console import Console, Group, RenderableType
from rich.live import Live

View = Callable[[], RenderableType]
"""What a table looks like now."""


class Board:
    """Shows views from when they are added until they are removed, in this order."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._views: list[View] = []
        self._live: Live | None = None

    def add(self, view: View) -> None:
        """Shows one more."""
        self._views.append(view)
        if self._live is None:
            self._live = Live(console=self._console, get_renderable=self._render, refresh_per_second=8)
            self._live.start()

    def remove(self, view: View) -> None:
        """Leaves the whole view in the terminal as it is now, above those that go on."""
        if len(self._views) > 1:
            self._views.remove(view)
            self._console.print(view())
        elif self._live:
            self._live.vertical_overflow = "visible"
            self._live.stop()
            if not self._console.is_terminal:
                self._console.line()  # Live leaves the last line open there
            self._views, self._live = [], None

    def _render(self) -> RenderableType:
        return Group(*(view() for view in self._views))
