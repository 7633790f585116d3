"""How to reach a server, as files and options say it: names of files go in, arguments of a client come out."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from motionscribe.errors import BadFile


@dataclass(frozen=True)
class Connection:
    """What was in the files: two are equal where they reach the same server in the same way."""

    address: str
    plaintext: bool = False
    ca: bytes | None = None
    cert: bytes | None = None
    key: bytes | None = None
    token: str | None = None

    def arguments(self) -> dict[str, Any]:
        """Of Client and AsyncClient."""
        secure = self.ca or self.cert
        return {
            "address": self.address,
            "credentials": grpc.ssl_channel_credentials(self.ca, self.key, self.cert) if secure else None,
            "plaintext": self.plaintext,
            "token": self.token,
        }


def read_connection(
    address: str,
    *,
    plaintext: bool = False,
    ca: Path | None = None,
    cert: Path | None = None,
    key: Path | None = None,
    token_file: Path | None = None,
) -> Connection:
    """Raises OSError for files that cannot be read, BadFile for a certificate without its key."""
    if bool(cert) != bool(key):
        raise BadFile("expected --cert and --key, got one of them")
    certificates, own, secret = (file.read_bytes() if file else None for file in (ca, cert, key))
    return Connection(address, plaintext, certificates, own, secret, read_token(token_file))


def read_token(token_file: Path | None) -> str | None:
    """From the file, else from the environment. Raises OSError."""
    return token_file.read_text().strip() if token_file else os.environ.get("MOTIONSCRIBE_TOKEN")
