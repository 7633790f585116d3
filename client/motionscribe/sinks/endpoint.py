"""HOST, PORT and what follows, in an address such as `HOST:PORT/TOPIC` or `https://HOST/PATH`."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from motionscribe.errors import BadFile


@dataclass(frozen=True)
class Endpoint:
    """Where a receiver listens."""

    host: str
    """Of IPv6 without brackets."""
    port: int
    rest: str
    """From the slash on, with a query."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(address: str, expected: str, port: int | None = None) -> Endpoint:
    """`address` begins with two slashes. Raises BadFile for what is not as `expected` says.

    `port` is that of an address without one. A password has no place in an address: lists of processes show it.
    """
    try:
        parts = urlsplit(address)
        found = parts.port or port
    except ValueError as error:
        raise BadFile(f"expected {expected}: {error}") from None
    plain = address.isascii() and address.isprintable() and " " not in address
    if not (plain and parts.hostname and found) or parts.username is not None or "#" in address:
        raise BadFile(f"expected {expected}, of plain letters and without a password, got another address")
    return Endpoint(parts.hostname, found, parts.path + (f"?{parts.query}" if parts.query else ""))
