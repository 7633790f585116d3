"""The measures by which state detection compares itself (Chavelli et al., 2025, arXiv 2510.23261), by tsseg-eval.

In: classes and clusters (n,) of frames in order, as motionscribe_training.evaluation.metrics takes them.
Out: numbers up to 1.
"""

import tsseg_eval

from motionscribe_training.evaluation.metrics import Labels


def state_metrics(truth: Labels, predicted: Labels) -> dict[str, float]:
    """Three scores by frames, 1 the best.

    Covering of segments whatever their labels; weighted adjusted Rand index, in which a frame counts more the further
    from a true boundary; and State Matching Score, which forgives late boundaries most.
    """
    return {
        "covering": float(tsseg_eval.covering(truth, predicted)),
        "wari": float(tsseg_eval.wari(truth, predicted)),
        "state_matching": float(tsseg_eval.sms(truth, predicted)),
    }
