"""What somebody sees of labels before they are final: how often they are taken back, and whether stability is true.

In: what a replay emitted. Out: counts, and pairs of stability and outcome with their area under the ROC curve and
calibration error.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from motionscribe_proto.events import Label
from motionscribe_server.session.replay import Emitted
from motionscribe_training.evaluation.metrics import Labels

Told = NDArray[np.float64]
"""(n, 2): stability that a provisional label was told with, and whether it is the final one."""


def told(emitted: Sequence[Emitted], final: Labels) -> Told:
    """Of every provisional label; `final` (n,) are the clusters of frames."""
    labels = [came.event for came in emitted if isinstance(came.event, Label) and not came.event.final]
    pairs = [(label.stability, float(label.cluster == final[label.start_seq - 1])) for label in labels]
    return np.array(pairs).reshape(-1, 2)


def calibration(several: Iterable[Told]) -> dict[str, float]:
    """Area under the ROC curve, expected calibration error of ten bins."""
    pairs = np.concatenate(list(several))
    bins = np.minimum((pairs[:, 0] * 10).astype(int), 9)
    gaps = [abs(pairs[bins == b].mean(axis=0) @ [1, -1]) * (bins == b).mean() for b in np.unique(bins)]
    return {"auroc": float(roc_auc_score(pairs[:, 1], pairs[:, 0])), "calibration_error": float(sum(gaps))}


def count_taken_back(emitted: Sequence[Emitted], frames: int) -> int:
    """At how many moments labels said another cluster of a frame than was shown: a viewer sees one change."""
    return len({came.time_us for came in _taking_back(emitted, frames)})


def count_revisions(emitted: Sequence[Emitted], frames: int) -> int:
    """How many labels said another cluster of a frame than the label before."""
    return len(_taking_back(emitted, frames))


def _taking_back(emitted: Sequence[Emitted], frames: int) -> list[Emitted]:
    shown, found = np.full(frames, -1, np.int64), list[Emitted]()
    for came in emitted:
        if isinstance(came.event, Label) and came.event.cluster > 0:
            spoken = slice(came.event.start_seq - 1, came.event.end_seq - 1)
            if np.any((shown[spoken] >= 0) & (shown[spoken] != came.event.cluster)):
                found.append(came)
            shown[spoken] = came.event.cluster
    return found
