"""The key of a stream: tenant and stream id in one text, and digests of tokens.

Streams, clusters and names are kept by a key that begins with the tenant, so that nobody can name what belongs to
another.
"""

import hashlib


def key_of(tenant: str, stream_id: str) -> str:
    """Of a stream, or of one that could be: no stream id has a slash."""
    return f"{tenant}/{stream_id.replace('/', '')}" if tenant else stream_id


def tenant_of(key: str) -> str:
    """Whose it is."""
    return key.rpartition("/")[0]


def id_of(key: str) -> str:
    """The id that its tenant knows it by."""
    return key.rpartition("/")[2]


def digest(token: str) -> str:
    """What is kept of a token, SHA-256 in hexadecimal."""
    return hashlib.sha256(token.encode()).hexdigest()
