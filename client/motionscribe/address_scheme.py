"""What stands before the colon of an address such as `osc:HOST:PORT`, for feeds and for places alike."""

import re

# one letter before a colon is a drive of Windows
_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]+):(.*)", re.DOTALL)


def split_scheme(text: str) -> tuple[str, str] | None:
    """The scheme and the rest; None where `text` names none, as a path."""
    match = _ADDRESS.fullmatch(text)
    return (match[1], match[2]) if match else None
