"""How long the parts of a session last, in moments (a stride of frames): tables of seconds and of least moments.

Seconds were measured on people who move, whose moments are a tenth of a second. Where a moment is long, as of a machine
that reports once a second, the floor counts: a mean over two moments is noise, however long they are. A model whose
settings have a duration of SESSION, in moments, has that one.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from motionscribe_models.errors import ModelFolderError

MOST = 1 << 16
"""Moments that anything may last."""
MOST_UNTOLD = 6000
"""Moments that anything lasts unless somebody said so, as what a stream costs grows with them: a minute at 100 Hz."""


@dataclass(frozen=True, slots=True)
class Duration:
    """One duration and its floor."""

    seconds: float
    least: float
    """Moments, however long they are."""
    meaning: str
    counts_above_s: float = 0.0
    """Only moments that are longer than this have the floor."""

    def exact(self, moment_s: float) -> float:
        """In moments of `moment_s` seconds each; to nine digits, since 0.7 s are not quite 7 times 0.1 s."""
        moments = round(self.seconds / moment_s, 9)
        return max(self.least, moments) if moment_s > self.counts_above_s else moments

    def moments(self, moment_s: float) -> int:
        """In whole moments, at most MOST_UNTOLD."""
        return min(MOST_UNTOLD, round(self.exact(moment_s)))


LATENCIES: dict[str, Duration] = {
    "fast": Duration(0.5, 2, "moments until a label is final"),
    "balanced": Duration(1.0, 5, "the same"),
    "stable": Duration(3.0, 15, "the same"),
}
"""What the lag presets of a new model are; a model folder has them in `latency`."""

SEGMENTS: dict[str, Duration] = {
    "adult": Duration(2.5, 12, "age at which the newest segment costs as much as any other"),
    "shortest": Duration(0.8, 4, "no segment is shorter"),
    "edge": Duration(0.4, 2, "left out of a segment's mean at each inner end"),
}
"""What new models have in their settings; a setting is always there."""

SESSION: dict[str, Duration] = {
    "hold": Duration(0.8, 4, "a final label that would change for less is not changed"),
    "history": Duration(30.0, 300, "is cut into segments anew; a segment that ended before is learnt"),
    "level": Duration(10.0, 10, "of tables: the level of a column is its mean over this"),
    "usual": Duration(240.0, 120, "of tables: and its usual level that over this"),
}
"""Settings that may be left out: then they follow the model's rate."""


def session_moments(settings: Mapping[str, float], moment_s: float) -> dict[str, int]:
    """Each of SESSION in moments: as `settings` say, else by its table. Raises ModelFolderError."""
    return {name: _moments(name, settings.get(name, duration.moments(moment_s))) for name, duration in SESSION.items()}


def _moments(name: str, value: float) -> int:
    if not (value == int(value) and 1 <= value <= MOST):
        raise ModelFolderError(f"settings: expected {name} in whole moments from 1 to {MOST}, got {value:g}")
    return int(value)
