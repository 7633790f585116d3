"""What can be wrong with a training run; each message says what was expected and what came."""


class TrainingError(ValueError):
    """Base: options that do not fit together, or too little motion to learn from."""


class DivergedError(TrainingError, ArithmeticError):
    """The loss is no number any more."""


class CheckpointError(TrainingError):
    """A file is not a checkpoint of this trainer, or of another network."""


class FetchError(TrainingError):
    """A download failed for good, or what came is not what was asked for."""
