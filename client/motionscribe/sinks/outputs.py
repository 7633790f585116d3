"""The one table of outputs: options of `stream` and `watch` that send events somewhere besides the terminal.

The command's options and help follow from it. `--json` is not in it: it chooses what the terminal shows.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pkgutil import resolve_name

from motionscribe.sinks.base import MakeSink


@dataclass(frozen=True)
class Output:
    """An option with an argument, and what opens its sinks."""

    option: str
    """Such as "--save"."""
    metavar: str
    """What its argument is, as the help spells it."""
    help: str
    opener: str
    """`module:function`, imported when used: function(argument) is a context manager that gives a MakeSink.

    The context lasts as long as the command, which may stream several sources, one sink each.
    """

    def open(self, argument: str) -> AbstractContextManager[MakeSink]:
        """Raises OSError for what cannot be opened, MissingExtraError without the extra that it needs."""
        function: Callable[[str], AbstractContextManager[MakeSink]] = resolve_name(self.opener)
        return function(argument)


OUTPUTS: tuple[Output, ...] = (
    Output("--save", "EVENTS.jsonl", "also write events to a file, for report", "motionscribe.sinks.jsonlines:save"),
)
