"""Text from elsewhere for the terminal: names, ids, titles, words of a server. None of it is markup or an escape code.

Everything that a command prints with rich and did not write itself goes through `plain`.
"""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from motionscribe_proto.names import escape


def plain(text: str, style: str = "") -> Text:
    """`text` as it is, its hidden characters escaped."""
    return Text(escape(text), style)


def titled(title: str, table: Table, *below: RenderableType) -> Group:
    """A table below its title, which is as wide as the terminal; rich would break it at the width of the table."""
    return Group(plain(title, "italic"), table, *below)
