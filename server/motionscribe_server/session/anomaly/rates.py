"""How often normal motion reaches a score: the scale on which scores of all kinds compare.

In: z scores of normal motion, by recording. Out: false alarms an hour that a score would give as a threshold, as a
polyline of its logarithm. Below the highest scores it counts moments; above them it is the exponential tail of maxima
over BLOCK_S, since moments in a row are one alarm (extreme values: Coles 2001, ISBN 978-1-85233-459-8).
"""

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from motionscribe_models.arrays import Array

SHARES = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99)
"""Quantiles of moments that become knots."""
BLOCK_S = 2.0
HIGHEST = 15
"""Of the maxima, whose mean excess is the tail's scale."""
LEAST_SCALE = 0.05
FARTHEST = 700.0
"""Of a logarithm whose exponential is a number."""


def fit_rates(scores: Sequence[Array], moment_s: float) -> Array:
    """Knots (2, n): z, and the logarithm of alarms an hour, which falls. `scores` (m,) are of recordings."""
    everything = np.concatenate(scores)
    block = max(1, round(BLOCK_S / moment_s))
    maxima = np.sort([own[at : at + block].max() for own in scores for at in range(0, len(own), block)])
    highest = maxima[-min(HIGHEST, len(maxima) - 1) :] if len(maxima) > 1 else maxima
    start = float(maxima[-len(highest) - 1]) if len(maxima) > 1 else float(maxima[0])
    scale = max(float(np.mean(highest - start)), LEAST_SCALE)
    hours = len(everything) * moment_s / 3600
    moments = 3600 / moment_s
    bulk = [(float(np.quantile(everything, share)), np.log(moments * (1 - share))) for share in SHARES]
    at_start = float(np.log(len(highest) / hours))
    knots: list[tuple[float, float]] = []
    for z, rate in bulk:
        if z < start and rate > at_start and (not knots or z > knots[-1][0]):
            knots.append((z, rate))
    if not knots and np.log(moments) > at_start:  # all moments are alike
        knots.append((start - LEAST_SCALE, float(np.log(moments))))
    knots += [(start, at_start), (start + scale, at_start - 1)]
    return np.array(knots).T


def log_rate(knots: Array | Sequence[Sequence[float]], z: float) -> float:
    """Of a z score; the last piece of the polyline goes on for ever. Of one score, lists are faster than arrays."""
    at, rates = knots
    if z <= at[0]:
        return float(rates[0])
    end = min(bisect_right(at, z), len(at) - 1)
    start = end - 1
    return float(rates[start] + (z - at[start]) * (rates[end] - rates[start]) / (at[end] - at[start]))


def z_at(knots: Array, rate: float) -> float:
    """The inverse of `log_rate`; where every moment is rarer than `rate`, the z of the first knot."""
    at, rates = knots
    if rate > rates[-2]:
        return float(np.interp(-rate, -rates, at))
    return float(at[-2] + (rate - rates[-2]) * (at[-1] - at[-2]) / (rates[-1] - rates[-2]))


def as_rate(logarithm: float) -> float:
    """Alarms an hour, neither 0 nor infinite, whatever the logarithm."""
    return math.exp(min(max(logarithm, -FARTHEST), FARTHEST))
