"""What its user called normal on a stream, as numbers: how much farther from its normal each column of a score may be.

In: what fired in anomalies that are marked as normal, the model's constants, the stream's budgets. Out: allowances
(C,), standard deviations, which the detector takes off every z. They bring the marked peaks MARGIN below where an
anomaly has ended; of columns that did not fire nothing changes. Of several marks each column gets the largest. It
remembers nothing: the same marks give the same allowances, whatever was marked or taken back before.

No allowance is larger than its score's `most_allowed`: worse than that stays an alarm, however often it was called
normal. So does a jump that no body can make, which the detector judges by itself.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from motionscribe_models.arrays import Array
from motionscribe_server.session.anomaly.kinds import Kind
from motionscribe_server.session.anomaly.rates import z_at
from motionscribe_server.session.anomaly.reference import AnomalyReference
from motionscribe_server.session.anomaly_book import Fired, KeptAnomaly

MARGIN = 0.5
"""Standard deviations: the same thing is a little higher where its moments begin at other frames."""


class Allowances:
    """Of one model and one stream's budgets."""

    def __init__(self, reference: AnomalyReference, levels: Mapping[Kind, float]) -> None:
        """`levels` are logarithms of false alarms an hour above which a moment is normal again, by kind."""
        slices = reference.layout.slices()
        self._columns = {score.name: own for score, own in slices}
        self._normal: Array = np.zeros(len(reference.layout.columns))
        """(C,) the largest z that is normal."""
        self._most: Array = np.zeros_like(self._normal)
        self._of_kind = {kind: np.zeros(len(self._normal), np.bool_) for kind in Kind}
        for (score, own), knots in zip(slices, reference.knots, strict=True):
            self._normal[own] = z_at(knots, levels[score.kind] - reference.shared[score.kind])
            self._most[own] = score.most_allowed
            self._of_kind[score.kind][own] = True

    def peaks(self, kind: Kind, z: Array, lowered: Array) -> Array:
        """(C,) z of the columns that take part in an anomaly of this kind, -inf of others; `lowered` by allowances."""
        found: Array = np.where(self._of_kind[kind] & (lowered > self._normal), z, -np.inf)
        return found

    def fired(self, peaks: Array) -> tuple[Fired, ...]:
        """Peaks (C,) by score."""
        found = []
        for name, own in self._columns.items():
            columns = np.flatnonzero(np.isfinite(peaks[own]))
            if len(columns):
                found.append(Fired(name, tuple(columns.tolist()), tuple(peaks[own][columns].tolist())))
        return tuple(found)

    def of(self, anomalies: Iterable[KeptAnomaly]) -> Array:
        """(C,) by those that are marked as normal. Columns that the model does not have are passed over."""
        peaks = np.full(len(self._normal), -np.inf)
        for fired in (own for kept in anomalies if kept.verdict == "normal" for own in kept.fired):
            columns = self._columns.get(fired.score, slice(0, 0))
            own = peaks[columns]
            for column, peak in zip(fired.columns, fired.peaks, strict=True):
                if column < len(own):
                    own[column] = max(own[column], peak)
        allowed: Array = np.clip(peaks - self._normal + MARGIN, 0, self._most)
        return allowed
