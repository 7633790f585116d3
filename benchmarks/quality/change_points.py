"""Rows that find boundaries and no actions: what segments offline, and what raises its hand while motion arrives.

In: Seen. Out: the moments at which segments begin, but for the first. Libraries have their own defaults unless said.
Methods that compare subsequences see motion at its full rate: the embedding is pooled over seconds, and what is left
has no shape to compare (they found next to nothing in it).
"""

from collections.abc import Callable, Iterable

import numpy as np
import ruptures
import stumpy
from claspy.segmentation import BinaryClaSPSegmentation
from claspy.streaming.segmentation import StreamingClaSPSegmentation
from numpy.typing import NDArray
from river.drift import ADWIN, PageHinkley
from scipy.special import gammaln, logsumexp
from sklearn.decomposition import PCA

from benchmarks.quality.seen import Seen

Array = NDArray[np.float64]

SHORTEST = 10
"""Moments: a second."""
DIMENSIONS = 4
"""Slowest dimensions of the embedding, or main components of motion."""
MOTIF = 15
"""Frames, half a second. ClaSP allows no segment shorter than five windows: twice this would forbid true ones, and the
window of 3 s that its own estimate (SuSS) gives would forbid most."""
STEP = 30
"""Frames, a second: the window of FLUSS, which needs none to fit into a segment so often."""
EXPECTED_S = 8.0
"""Length of an action that BOCPD expects; from 6 to 20 s it finds the same."""


def even_cuts(seen: Seen) -> list[int]:
    """The true number of segments, all of one length."""
    return [len(seen.pose) * i // seen.segments for i in range(1, seen.segments)]


def kernel_change_points(seen: Seen) -> list[int]:
    """ruptures: the best cuts of our centred embedding, number of segments given."""
    found = ruptures.KernelCPD(kernel="linear", min_size=8).fit(seen.centred).predict(n_bkps=seen.segments - 1)
    return [int(x) for x in found[:-1]]


def pose_change_points(seen: Seen) -> list[int]:
    """The same of raw pose."""
    found = ruptures.KernelCPD(kernel="rbf", min_size=8).fit(seen.pose).predict(n_bkps=seen.segments - 1)
    return [int(x) for x in found[:-1]]


def clasp(seen: Seen) -> list[int]:
    """ClaSP of the main components of motion; it finds the number of segments."""
    found = BinaryClaSPSegmentation(window_size=MOTIF, n_jobs=1).fit_predict(_motion(seen, DIMENSIONS))
    return _moments(seen, found)


def clasp_number_given(seen: Seen) -> list[int]:
    """The same with the true number of segments, and no test of whether they differ."""
    model = BinaryClaSPSegmentation(n_segments=seen.segments, window_size=MOTIF, validation=None, n_jobs=1)
    return _moments(seen, model.fit_predict(_motion(seen, DIMENSIONS)))


def fluss(seen: Seen) -> list[int]:
    """FLUSS of the main component of motion, number of segments given, none shorter than 3 s."""
    profile = stumpy.stump(_motion(seen, 1)[:, 0], m=STEP)
    _, regimes = stumpy.fluss(profile[:, 1], L=STEP, n_regimes=seen.segments, excl_factor=3)
    return _moments(seen, regimes)


def class_live(seen: Seen) -> list[int]:
    """ClaSS, which is ClaSP on a stream, of the main component of motion; ten windows warm it up."""
    model = StreamingClaSPSegmentation(n_warmup=10 * MOTIF, window_size=MOTIF, log_cps=True)
    for x in _motion(seen, 1)[:, 0]:
        model.update(float(x))
    return _moments(seen, model.change_points)


def bocpd(seen: Seen) -> list[int]:
    """Bayesian online change points (Adams and MacKay, 2007) of the slowest dimensions of our embedding, live.

    A boundary is where the likeliest run began, said when that run is a second old. Dimensions are independent
    Gaussians of unknown mean and variance: normal-gamma priors worth one observation, of mean 0 and the mean variance
    of a dimension of the embedding, all of which vary by 1 together.
    """
    observed, variance = seen.embedding[:, :DIMENSIONS], 1 / seen.embedding.shape[1]
    hazard = seen.moment_s / EXPECTED_S
    chance: Array = np.zeros(1)  # log probability of each run length 0, 1, ...
    mean: Array = np.zeros((1, DIMENSIONS))
    spread: Array = np.full((1, DIMENSIONS), variance)
    starts = [0]
    for now, x in enumerate(observed, 1):
        known = np.arange(1.0, now + 1)[:, None]  # observations behind each, the prior's among them
        shape = (known + 1) / 2
        off = (x - mean) ** 2 / (2 * (1 + 1 / known))
        # log density of Student's t with 2 `shape` degrees of freedom
        likely = gammaln(shape + 0.5) - gammaln(shape) - (shape + 0.5) * np.log1p(off / spread)
        likely -= np.log(2 * np.pi * (1 + 1 / known) * spread) / 2
        joint = chance + likely.sum(axis=1)
        chance = np.append(logsumexp(joint) + np.log(hazard), joint + np.log1p(-hazard))
        chance -= logsumexp(chance)
        spread = np.vstack([np.full(DIMENSIONS, variance), spread + off])
        mean = np.vstack([np.zeros(DIMENSIONS), (known * mean + x) / (known + 1)])
        start = now - int(chance.argmax())
        if now - start >= SHORTEST and start >= starts[-1] + SHORTEST:
            starts.append(start)
    return starts[1:]


def adwin(seen: Seen) -> list[int]:
    """ADWIN of river on the log of the prediction error, live: its test is for values that span about 1."""
    return _alarms(ADWIN(), np.log(seen.error + 1e-3))


def page_hinkley(seen: Seen) -> list[int]:
    """Page-Hinkley test of river on the prediction error, live.

    The library's threshold of 50 never fires; 1 was the best of 0.5, 1, 2 and 5 on four trials of CMU subject 86.
    """
    return _alarms(PageHinkley(threshold=1.0), seen.error)


CHANGE_POINTS: dict[str, Callable[[Seen], list[int]]] = {
    "even_cuts": even_cuts,
    "ruptures_pose": pose_change_points,
    "ruptures_embedding": kernel_change_points,
    "clasp": clasp,
    "clasp_number_given": clasp_number_given,
    "fluss": fluss,
    "class": class_live,
    "bocpd": bocpd,
    "adwin": adwin,
    "page_hinkley": page_hinkley,
}


def _motion(seen: Seen, components: int) -> Array:
    """(m, c): main components of the whole recording's frames."""
    rows: Array = np.ascontiguousarray(PCA(components).fit_transform(seen.frames))
    return rows


def _moments(seen: Seen, frames: Iterable[float]) -> list[int]:
    """Frames at which segments begin to moments, in order."""
    return sorted(round(float(frame) / seen.stride) for frame in frames)


def _alarms(detector: ADWIN | PageHinkley, series: Array) -> list[int]:
    """Moments at which a detector of river says that something has changed."""
    alarms: list[int] = []
    for moment, x in enumerate(series):
        detector.update(float(x))
        if detector.drift_detected:
            alarms.append(moment)
    return alarms
