"""The library of Lab Streaming Layer, for sources and sinks."""

from typing import Any

from motionscribe_models.errors import MissingExtraError


def load_pylsl() -> Any:
    """The pylsl module. Raises MissingExtraError."""
    try:
        import pylsl
    except (ImportError, RuntimeError) as error:  # RuntimeError: pylsl without its library
        raise MissingExtraError("lsl", "Lab Streaming Layer") from error
    return pylsl
