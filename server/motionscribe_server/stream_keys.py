"""The key of a stream: tenant and stream id in one text, and digests of tokens.

Streams, clusters and names are kept by a key that begins with the tenant, so that nobody can name what belongs to
another.
"""

import hashlib
import hmac


def key_of(tenant: str, stream_id: str) -> str:
    """The key of a stream. A slash in `stream_id`, which no real one has, is dropped."""
    return f"{tenant}/{stream_id.replace('/', '')}" if tenant else stream_id


def tenant_of(key: str) -> str:
    """The tenant that owns it."""
    return key.rpartition("/")[0]


def id_of(key: str) -> str:
    """The stream id that its tenant knows it by."""
    return key.rpartition("/")[2]


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()


def same_token(expected: str, got: str) -> bool:
    """Takes as long for any `got`, so that nobody can guess a token bit by bit."""
    return hmac.compare_digest(expected.encode(), got.encode())
