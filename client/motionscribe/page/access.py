"""Who may see the page: everybody on this machine, elsewhere whoever knows the token; requests of other sites never.

Decides by the headers of a request, answers nothing. The token is the one that the page shows to its own server.
"""

import secrets
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection

from motionscribe_proto.addresses import is_loopback

COOKIE = "motionscribe-page"


class Access:
    """Without `token` the page answers to the names of this machine alone; with one it asks for a login.

    All viewers get the same cookie, a secret of this process: a restart logs everybody out.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token
        self.cookie = secrets.token_urlsafe(32)

    def accepts(self, token: str) -> bool:
        """Whether a viewer gave the right token. Takes the same time for any wrong one."""
        return self._token is not None and secrets.compare_digest(token.encode(), self._token.encode())

    def is_logged_in(self, connection: HTTPConnection) -> bool:
        """True where nobody needs to log in, too."""
        given = connection.cookies.get(COOKIE, "")
        return self._token is None or secrets.compare_digest(given.encode(), self.cookie.encode())

    def is_known_host(self, connection: HTTPConnection) -> bool:
        """False where an open page is asked for under a foreign name, as a hostile name server can arrange."""
        return self._token is not None or is_loopback(_host_of(connection.headers.get("host", "")))

    @staticmethod
    def is_same_origin(connection: HTTPConnection) -> bool:
        """Whether a request comes from the page itself. Browsers name the origin of each WebSocket and each form."""
        try:
            return urlsplit(connection.headers.get("origin", "")).netloc == connection.headers.get("host")
        except ValueError:
            return False


def _host_of(header: str) -> str:
    """The name in a Host header, without port and brackets; empty where there is none."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return ""
