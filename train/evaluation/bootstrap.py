"""Confidence interval of a mean by bootstrap."""

from __future__ import annotations

import math

import numpy as np

from tracker.types import FloatArray

RESAMPLES = 2000
LEVEL = 0.95


def mean_interval(
    values: FloatArray, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of ``values`` ``(N,)``: low and high end.

    B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979. The same
    ``seed`` gives the same interval; without values both ends are NaN.
    """
    if len(values) == 0:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(resamples, len(values)))].mean(axis=1)
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
