"""Points for clusterers: blobs around four corners, and segments of real motion with their actions."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat

D = 6
CORNERS = np.eye(D)[:4] * 2  # pairwise distance 2.8


def blobs(
    n: int, seed: int = 0, corners: NDArray[np.float64] = CORNERS
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Points (n,D) around the corners in runs of three, as actions are repeated, and which corner each is of."""
    rng = np.random.default_rng(seed)
    first = rng.permutation(len(corners))
    of = np.repeat(np.concatenate([first, rng.integers(0, len(corners), n)]), 3)[:n]
    return corners[of] + 0.03 * rng.normal(size=(n, D)), of


def subject_86(data_dir: Path) -> tuple[NDArray[np.float64], list[str]]:
    """Segments of 3 s of seven trials: mean and spread of the joint angles, 12 principal components, and the action."""
    rows, actions = [], []
    for path in sorted((data_dir / "sub86").glob("*.mat")):
        angles = loadmat(path)["expmapchannels"][::4, 6:]  # 30 Hz, without the root
        lines = path.with_name(f"{path.stem}_gt.txt").read_text().split("\n")[1:]
        start = 0
        for title, times in zip(lines[::2], lines[1::2], strict=False):
            if not times.strip():
                break
            end = min(int(times.split()[len(times.split()) // 2]) // 4, len(angles))
            known = [word for word in ("walk", "jump", "punch", "kick", "run", "sit", "climb") if word in title]
            for t in range(start, end - 60, 90):
                piece = angles[t : min(t + 90, end)]
                rows.append(np.hstack([piece.mean(0), 3 * piece.std(0)]))
                actions.append(known[0] if known else title.split(maxsplit=1)[1].strip())
            start = end
    table = np.array(rows) - np.mean(rows, axis=0)
    X = table @ np.linalg.svd(table, full_matrices=False)[2][:12].T
    means = np.array([X[np.array(actions) == action].mean(0) for action in sorted(set(actions))])
    between = np.sqrt(np.square(means[:, None] - means).sum(2))
    return X / np.median(between[between > 0]), actions
