"""The table of anomaly scores: a line a score.

Everything derives from it: what is fitted, which arrays a model folder has, what a session scores.
"""

from motionscribe_models.representations import Representation
from motionscribe_server.session.anomaly.frozen import Frozen
from motionscribe_server.session.anomaly.imbalance import Imbalance
from motionscribe_server.session.anomaly.jump import Jump
from motionscribe_server.session.anomaly.misfit import LastingMisfit, Misfit
from motionscribe_server.session.anomaly.order import Duration, Order
from motionscribe_server.session.anomaly.score import Score
from motionscribe_server.session.anomaly.shift import Shift
from motionscribe_server.session.anomaly.strangeness import Strangeness, UnseenPosture
from motionscribe_server.session.anomaly.tremor import Tremor

SCORES: dict[str, type[Score]] = {
    score.name: score
    for score in (
        Jump,
        Frozen,
        Misfit,
        LastingMisfit,
        Tremor,
        Imbalance,
        Shift,
        Strangeness,
        UnseenPosture,
        Order,
        Duration,
    )
}
"""By name."""


def scores_of(representation: Representation) -> list[type[Score]]:
    """Those that have something to say of it, in the order of the table."""
    return [score for score in SCORES.values() if score.suits(representation)]


def fitted_scores(representation: Representation) -> list[type[Score]]:
    """Those of them whose constants are fitted, and are arrays of a model folder."""
    return [score for score in scores_of(representation) if score.constants is None]
