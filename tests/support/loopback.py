"""Lab Streaming Layer on this machine alone, and for each process of the tests by itself."""

import os
from collections.abc import Iterator

import pytest

# LSL finds streams by multicast: keep it here, and quiet. Where processes share its ports, queries go to any of them.
CONFIGURATION = """[multicast]
ResolveScope = machine
[lab]
KnownPeers = {{127.0.0.1}}
[log]
level = -3
[ports]
MulticastPort = {first}
BasePort = {second}
PortRange = 32
"""
FIRST_PORT, STEP, BLOCKS = 17000, 40, 300


def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A fixture of a module that needs pylsl."""
    pytest.importorskip("pylsl")
    path = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    first = FIRST_PORT + STEP * (os.getpid() % BLOCKS)
    path.write_text(CONFIGURATION.format(first=first, second=first + 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSLAPICFG", str(path))  # read when liblsl is used for the first time
        yield
