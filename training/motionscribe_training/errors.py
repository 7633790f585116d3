"""Errors of a training run; each message says what was expected and what came."""


class TrainingError(ValueError):
    """Base: options that do not fit together, or too little motion to learn from."""


class DivergedError(TrainingError, ArithmeticError):
    """The loss is not a number any more."""


class CheckpointError(TrainingError):
    """A file is not a checkpoint of this trainer, or it is the checkpoint of another network."""


class FetchError(TrainingError):
    """A download failed after all attempts, or the file is not the expected one."""
