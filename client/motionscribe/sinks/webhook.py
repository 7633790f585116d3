"""Events by HTTP: `https://...`, POSTs of JSON arrays of messages (message.py), in order, one at a time.

`Idempotency-Key` is the same when the same array is sent again. With a secret in MOTIONSCRIBE_WEBHOOK_SECRET the header
`X-Motionscribe-Signature: t=SECONDS,v1=HEX` has HMAC-SHA256 of `SECONDS.BODY`. Redirects are not followed: they count
as refused. What may pass is tried again: no connection, no answer, and the statuses 408, 425, 429 and 5xx (RFC 9110).
The status is all that counts of an answer: a body that breaks or does not end costs the connection, no event.
"""

import hashlib
import hmac
import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.utils import parsedate_to_datetime

from motionscribe.sinks.base import MakeSink
from motionscribe.sinks.endpoint import parse_endpoint
from motionscribe.sinks.message import Message
from motionscribe.sinks.outlet import Down, Outlet, Refused
from motionscribe.sinks.relay import relayed

SECRET = "MOTIONSCRIBE_WEBHOOK_SECRET"  # noqa: S105  the name of the variable
TIMEOUT_S = 10.0
"""For an answer, up to the end of its headers."""
REST_S = 1.0
"""For its body."""
MOST_READ = 1 << 16
"""Bytes of an answer: nobody needs them, but a connection is used again only when they have come."""
PASSING = {408, 425, 429}
SLOW = {408, 504}


@contextmanager
def open_webhook(url: str) -> Iterator[MakeSink]:
    """The address `http://...` or `https://...`, whole. Raises BadFile."""
    with relayed(url, Webhook(url, os.environ.get(SECRET, ""))) as make:
        yield make


class Webhook(Outlet):
    """One URL, one connection that is kept."""

    def __init__(self, url: str, secret: str = "") -> None:
        scheme, _, address = url.partition(":")
        self._endpoint = parse_endpoint(address, f"{scheme}://HOST/PATH", 443 if scheme == "https" else 80)
        # paths of webhooks often are secrets
        self.where = f"{scheme}://{self._endpoint}"
        self._secret = secret.encode()
        host, port = self._endpoint.host, self._endpoint.port
        self._connection = (
            http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S, context=ssl.create_default_context())
            if scheme == "https"
            else http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        )
        self._connection.response_class = _Answer

    def send(self, messages: Sequence[Message]) -> None:
        """One POST."""
        body = f"[{', '.join(message.to_json() for message in messages)}]".encode()
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": f"{messages[0].id}..{messages[-1].id}",
            "User-Agent": "motionscribe",
        }
        if self._secret:
            headers["X-Motionscribe-Signature"] = sign(self._secret, int(time.time()), body)
        kept = self._connection.sock is not None
        try:
            response = self._post(body, headers)
        except (http.client.HTTPException, ConnectionError) as error:
            self._connection.close()
            if not kept:
                raise Down(_words(error)) from error
            # a receiver may close a connection that was idle, which says nothing about how it is
            response = self._post_anew(body, headers)
        except OSError:
            self._connection.close()
            raise
        if response.status in PASSING or response.status >= 500:
            asked_s = _asked_s(response.getheader("Retry-After"))
            raise Down(f"it answers {response.status} {response.reason}", asked_s, slow=response.status in SLOW)
        if not 200 <= response.status < 300:
            raise Refused(f"it answers {response.status} {response.reason}")

    def close(self) -> None:
        """Hangs up."""
        self._connection.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        self._connection.request("POST", self._endpoint.rest or "/", body, headers)
        channel = self._connection.sock
        with _within(TIMEOUT_S, channel):
            response = self._connection.getresponse()
        with suppress(http.client.HTTPException, OSError, ValueError), _within(REST_S, channel):
            response.read(MOST_READ)
        if not response.isclosed():
            response.close()
            self._connection.close()
        return response

    def _post_anew(self, body: bytes, headers: dict[str, str]) -> http.client.HTTPResponse:
        try:
            return self._post(body, headers)
        except (http.client.HTTPException, OSError) as error:
            self._connection.close()
            raise Down(_words(error), slow=isinstance(error, TimeoutError)) from error


@contextmanager
def _within(seconds: float, channel: socket.socket) -> Iterator[None]:
    """Raises TimeoutError where it takes longer, also where an octet comes now and then: `channel` is cut."""
    late = threading.Event()

    def cut() -> None:
        late.set()
        with suppress(OSError):
            socket.socket.shutdown(channel, socket.SHUT_RDWR)  # TLS's own would say goodbye first

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (http.client.HTTPException, OSError) as error:
        if late.is_set():
            raise TimeoutError("timed out") from error
        raise
    finally:
        timer.cancel()


class _Answer(http.client.HTTPResponse):
    """The final one. Those that come before it, such as 103, are passed over (RFC 9110, section 15.2)."""

    def begin(self) -> None:
        super().begin()
        while 100 < self.status < 200:
            self.headers = None  # type: ignore[assignment]  # so begin() knows that it has to read
            super().begin()


def sign(secret: bytes, seconds: int, body: bytes) -> str:
    """What the header of the signature holds; `seconds` are those since 1970."""
    digest = hmac.new(secret, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def _asked_s(retry_after: str | None) -> float:
    """Seconds, or the time until a date (RFC 9110); 0 where it is neither."""
    if not retry_after:
        return 0.0
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, OverflowError, TypeError):  # such as a year of twenty figures
        return 0.0
