"""Which addresses are this machine's alone: there client and server speak plaintext unasked.

In: a host name or an IP address. It resolves no names.
"""

import ipaddress


def is_loopback(host: str) -> bool:
    """True where only this machine reaches `host`, which is without port and brackets."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
