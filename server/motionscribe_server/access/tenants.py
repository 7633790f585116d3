"""Who calls: bearer tokens and the tenants that they belong to.

In: a TOML file of tenants with digests of their tokens, the metadata of calls. Out: the tenant of a call, or
UNAUTHENTICATED. Without a file everybody is the one tenant "". What belongs to a tenant is decided by keys
(stream_keys.py).
"""

import hmac
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from motionscribe_server.errors import SettingsError, UnauthenticatedError
from motionscribe_server.stream_keys import digest

TENANT = re.compile(r"[A-Za-z0-9._-]{1,64}")
DIGEST = re.compile(r"[0-9a-f]{64}")
HEADER, SCHEME = "authorization", "Bearer "

Metadata = Iterable[tuple[str, str | bytes]]


class Tenants:
    """The tenants of one server, with digests of their tokens."""

    def __init__(self, digests: Mapping[str, str]) -> None:
        self._digests = dict(digests)

    def tenant(self, metadata: Metadata) -> str:
        """The tenant whose token a call brings. Raises UnauthenticatedError; takes as long for any token."""
        if not self._digests:
            return ""
        values = [value for name, value in metadata if name == HEADER]
        value = values[0] if len(values) == 1 else ""
        if not isinstance(value, str) or not value.startswith(SCHEME):
            raise UnauthenticatedError("expected a bearer token as metadata 'authorization', got none")
        got = digest(value.removeprefix(SCHEME))
        found = [tenant for tenant, known in self._digests.items() if hmac.compare_digest(known, got)]
        if not found:
            raise UnauthenticatedError("expected a token of this server, got another one")
        return found[0]

    def only(self, tenant: str) -> "Tenants":
        """Lets this one tenant in; everybody where there are no tokens. Raises SettingsError where it has no token."""
        if self._digests and tenant not in self._digests:
            raise SettingsError(f"expected a tenant {tenant!r} in security.tokens, got {', '.join(self._digests)}")
        return Tenants({tenant: self._digests[tenant]} if self._digests else {})


def new_token() -> str:
    """A bearer token of 256 random bits."""
    return secrets.token_urlsafe(32)


def read_tenants(file: Path | None) -> Tenants:
    """Reads a TOML file of lines `tenant = "digest"`; None lets everybody in. Raises SettingsError."""
    if file is None:
        return Tenants({})
    try:
        tenants = tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"security.tokens: expected a TOML file, got {file}: {error}") from error
    for tenant, known in tenants.items():
        if not TENANT.fullmatch(tenant) or not isinstance(known, str) or not DIGEST.fullmatch(known):
            expected = 'expected lines of tenant = "64 hexadecimal digits"'
            raise SettingsError(f"security.tokens: {expected} in {file}, got {tenant!r}")
    if not tenants:
        raise SettingsError(f"security.tokens: expected a tenant or more in {file}, got none")
    if len(set(tenants.values())) < len(tenants):
        raise SettingsError(f"security.tokens: expected a token for each tenant in {file}, got one for several")
    return Tenants(tenants)
