"""What the sensors said in each moment of a dataset, as a session would hear it.

In: a Dataset. Out: for each of its sequences the Sensed of its moments.
"""

from motionscribe_models.features import FeatureMap
from motionscribe_models.resampling import Resampler
from motionscribe_server.session.anomaly.sensed import Sensed, sense
from motionscribe_training.data.dataset import Dataset, Run


def sensed_in(dataset: Dataset, stride: int) -> list[list[Sensed]]:
    """In the order of the sequences. A moment in which no raw frame fell is left out."""
    return [_sensed(dataset, run, stride) for run in dataset.runs]


def _sensed(dataset: Dataset, run: Run, stride: int) -> list[Sensed]:
    times = run.timestamps_us.tolist()
    placed = Resampler(dataset.rate_hz).push(times)
    ends = [left + 1 for left in placed.left[stride - 1 :: stride]]
    feature_map = FeatureMap(run.skeleton, dataset.feature_map.joints)
    return sense(feature_map, run.frames, times, (run.skeleton.rate_hz, dataset.rate_hz), sorted(set(ends) - {0}))
