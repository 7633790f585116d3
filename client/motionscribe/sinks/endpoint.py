"""HOST, PORT and what follows, in an address such as `HOST:PORT/TOPIC` or `https://HOST/PATH`."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from motionscribe.errors import BadFile

_NAME = re.compile("[a-z0-9._-]+")


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
        host, found = parts.hostname or "", port if parts.port is None else parts.port
        if ":" in host:
            ip_address(host)
        else:
            host.encode("idna")  # as sockets do: no label may be empty, or longer than 63 letters
    except UnicodeError:
        raise BadFile(f"expected {expected}, got a host with an empty part, or one longer than 63 letters") from None
    except ValueError as error:
        raise BadFile(f"expected {expected}: {error}") from None
    plain = address.isascii() and address.isprintable() and " " not in address
    if not (plain and (":" in host or _NAME.fullmatch(host))) or parts.username is not None or "#" in address:
        raise BadFile(f"expected {expected}, of plain letters and without a password, got another address")
    if not found:
        raise BadFile(f"expected {expected}, with a port from 1 to 65535")
    return Endpoint(host, found, parts.path + (f"?{parts.query}" if parts.query else ""))
