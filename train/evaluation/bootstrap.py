"""Confidence interval of a mean by bootstrap."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tracker.types import FloatArray

RESAMPLES = 2000
LEVEL = 0.95


def mean_interval(
    values: FloatArray,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
    groups: npt.NDArray[np.generic] | None = None,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the mean of ``values`` ``(N,)``: low and high end.

    B. Efron, "Bootstrap Methods: Another Look at the Jackknife", Annals of Statistics 7, 1979. Values of one
    of ``groups`` ``(N,)``, such as pictures of one person, are drawn together: they are alike, so that each
    of them tells less than a value of another group (A. C. Davison and D. V. Hinkley, "Bootstrap Methods and
    their Application", 1997, 3.8). By default each value is a group of its own. The same ``seed`` gives the
    same interval; without values both ends are NaN.
    """
    if len(values) == 0:
        return math.nan, math.nan
    rng = np.random.default_rng(seed)
    if groups is None:
        means = values[rng.integers(len(values), size=(resamples, len(values)))].mean(axis=1)
    else:
        names, place = np.unique(groups, return_inverse=True)
        drawn = rng.integers(len(names), size=(resamples, len(names)))
        means = np.bincount(place, values)[drawn].sum(axis=1) / np.bincount(place)[drawn].sum(axis=1)
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2))
    return float(low), float(high)
