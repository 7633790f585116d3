"""The library of Lab Streaming Layer, for sources and sinks."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from motionscribe_models.errors import MissingExtraError

CONFIGURATIONS = ("lsl_api.cfg", "~/lsl_api/lsl_api.cfg", "/etc/lsl_api/lsl_api.cfg")
"""Where liblsl looks for what the user wants of it, after the variable LSLAPICFG."""
QUIET = "[log]\nlevel = -3\n"
"""Only what is fatal: to liblsl a stream that ends is an error, and it tells its settings whenever it begins."""


def load_pylsl() -> Any:
    """The pylsl module. Its library says little, unless the user configured it. Raises MissingExtraError."""
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:  # RuntimeError: pylsl without its library
        raise MissingExtraError("lsl", "Lab Streaming Layer") from error
    if not os.environ.get("LSLAPICFG") and not any(Path(path).expanduser().exists() for path in CONFIGURATIONS):
        with suppress(AttributeError, RuntimeError):  # older ones cannot be told
            pylsl.set_config_content(QUIET)
    return pylsl
