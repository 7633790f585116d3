"""Errors of recordings, layouts and model folders; each message says what was expected and what came."""


class ContractError(Exception):
    """Base of all errors of this package."""


class LayoutError(ContractError, ValueError):
    """Frames do not have the layout that was promised: wrong width, not finite, time running backwards."""


class RecordingError(ContractError, ValueError):
    """A file is not the recording it claims to be: foreign format, truncated, unreadable number."""


class TimesError(ContractError, ValueError):
    """Times of a live clock are of no use: in another unit, or hardly any is later than those before it."""


class ModelFolderError(ContractError, ValueError):
    """A model folder is incomplete, tampered with, or of another format version."""


class UnknownModelError(ContractError, LookupError):
    """No model of this name or version."""


class MissingExtraError(ContractError, ImportError):
    """An optional dependency is not installed; the message is the pip command that installs it."""

    def __init__(self, extra: str, need: str) -> None:
        self.extra = extra
        super().__init__(f'{need} needs an extra: pip install "motionscribe[{extra}]"')
