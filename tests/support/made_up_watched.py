"""What was watched, made up: actions that turn at speeds of their own, labelled as told."""

import numpy as np

from motionscribe_server.session.clustering import ClusterState
from motionscribe_training.explaining.watched import Watched

STRIDE, MOMENT_US = 3, 100_000


def watched_of(
    seed: int,
    clusters: tuple[int, ...] = (),
    actions: tuple[str, ...] | None = None,
    moments: int = 20,
    centres: dict[int, tuple[float, float]] | None = None,
    names: dict[int, str] | None = None,
    **others: object,
) -> Watched:
    """Runs of `moments` moments, one for each of `clusters`, of which action k is `actions[k]`.

    Six features turn at the speed of the action; embeddings lie around the centre of the cluster; three joints.
    """
    rng = np.random.default_rng(seed)
    words = actions if actions is not None else tuple(str(cluster) for cluster in clusters)
    labels = clusters or tuple(1 for _ in words)
    kinds = sorted(set(words))
    places = centres or {cluster: (float(cluster), 0.0) for cluster in labels}
    speeds = np.repeat([0.1 + 0.25 * kinds.index(word) for word in words], moments * STRIDE)
    angles = np.cumsum(speeds)[:, None] + np.arange(6)
    own = np.repeat(labels, moments)
    n = len(own)
    values = {
        "name": f"take {seed}",
        "stride": STRIDE,
        "features": (np.sin(angles) + 0.05 * rng.normal(size=angles.shape)).astype(np.float32),
        "places": np.stack(
            [np.sin(angles[:, :3]), np.cos(angles[:, :3]), np.tile([0.0, 1.0, 2.0], (n * STRIDE, 1))], 2
        ),
        "times_us": np.arange(n) * MOMENT_US,
        "end_us": n * MOMENT_US,
        "embeddings": np.array([places[label] for label in own.tolist()]) + 0.05 * rng.normal(size=(n, 2)),
        "clusters": own.astype(np.int64),
        "margins": np.ones(n),
        "revisions": np.zeros(n, np.int64),
        "actions": tuple(np.repeat(actions, moments).tolist()) if actions is not None else None,
        "states": tuple(
            ClusterState(cluster, (names or {}).get(cluster, ""), 0, False, np.array(place), 1.0, 0, 0, 1, 1.0)
            for cluster, place in places.items()
            if cluster
        ),
    }
    return Watched(**{**values, **others})  # type: ignore[arg-type]  # a field a word, as the dataclass has them
