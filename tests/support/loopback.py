"""Lab Streaming Layer on this machine alone."""

from collections.abc import Iterator

import pytest

# LSL finds streams by multicast: keep it here, and quiet
CONFIGURATION = "[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n[log]\nlevel = -3\n"


def loopback(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A fixture of a module that needs pylsl."""
    pytest.importorskip("pylsl")
    path = tmp_path_factory.mktemp("lsl") / "lsl_api.cfg"
    path.write_text(CONFIGURATION)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LSLAPICFG", str(path))  # read when liblsl is used for the first time
        yield
