"""Quality of each point: the width of its map, calibrated into a probability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tracker.types import FloatArray
from train.errors import RunError
from train.metrics import Float64Array
from train.models.heatmap import moments

GOOD_PERCENT = 5.0
"""Largest error of a good point, in per cent of the distance between the outer eye corners."""

_NEWTON_STEPS = 50
_MIN_SCALE = 1e-9  # spreads that differ by less differ by rounding only
_MIN_SPREAD = 1e-4  # crop sides, 0.02 pixels of 224; a map within one cell has a width of 0


def spread(maps: Tensor) -> Tensor:
    """Return the standard deviation of each map's softmax, ``(N, P)`` in crop sides.

    Maps are ``(N, P, K + 2, K + 2)``. The deviation is that of the distance from the mean: the root of the
    sum of the variances along x and y.
    """
    found = moments(maps)
    return (found[..., 2] - found[..., 0] ** 2 - found[..., 1] ** 2).clamp(min=0).sqrt()


@dataclass(frozen=True)
class Calibration:
    """Probability that a point is good: ``quality = sigmoid(intercept - slope * log(spread))``.

    Logistic regression on one feature: J. Platt, "Probabilistic Outputs for Support Vector Machines", 1999.
    Raises :class:`~train.errors.RunError` unless both are finite and ``slope`` is positive: a wider map must
    not make a point better.
    """

    intercept: float
    slope: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.intercept) and np.isfinite(self.slope) and self.slope > 0):
            raise RunError(f"wide maps must mean doubtful points, got {self}")

    def quality(self, spread_sides: Tensor) -> Tensor:
        """Return the quality, 0..1, for each spread in crop sides, of any shape."""
        return torch.sigmoid(self.intercept - self.slope * spread_sides.clamp(min=_MIN_SPREAD).log())

    @classmethod
    def fit(cls, spread_sides: FloatArray, good: npt.NDArray[np.bool_]) -> Calibration:
        """Fit to the spreads and labels of points by maximum likelihood; both arrays have the same shape.

        Raises :class:`~train.errors.RunError` if a spread is not finite, if all points are good, or none, or
        if the maximum does not exist, because spread separates the points perfectly or not at all.
        """
        outcome = np.asarray(good, np.float64).ravel()
        if len(outcome) == 0 or outcome.min() == outcome.max():
            raise RunError("all of these points are good, or none: too few to calibrate on")
        feature = np.log(np.clip(np.asarray(spread_sides, np.float64).ravel(), _MIN_SPREAD, None))
        if not np.isfinite(feature).all():
            raise RunError("the network's maps are not finite, so quality cannot be calibrated on them")
        middle, scale = feature.mean(), max(float(feature.std()), _MIN_SCALE)
        narrow = (middle - feature) / scale  # of unit width, so that step sizes do not depend on the network
        level, slope = _most_likely(np.column_stack([np.ones_like(narrow), narrow]), outcome)
        return cls(float(level + slope / scale * middle), float(slope / scale))


def _most_likely(design: Float64Array, outcome: Float64Array) -> Float64Array:
    """Return the weights of the columns of ``design`` ``(N, 2)`` for ``outcome`` ``(N,)``, 0 or 1.

    The first column is all ones. Newton's method on the convex log-likelihood.
    """
    weights = np.array([np.log(outcome.mean() / (1 - outcome.mean())), 0.0])
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        try:
            step = np.linalg.solve(curvature, design.T @ (outcome - chance))
        except np.linalg.LinAlgError:
            break
        # A full step can overshoot far from the solution, so its length is limited.
        weights = weights + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            return weights
    raise RunError("spread tells these points apart without fault, or not at all: too few to calibrate on")


@dataclass(frozen=True)
class Bin:
    """Points of similar quality: their number, mean quality, share of good ones, and mean error.

    ``predicted`` is the mean quality, ``actual`` the share 0..1 that is good; ``mean_error`` is in per cent
    of the inter-ocular distance.
    """

    count: int
    predicted: float
    actual: float
    mean_error: float

    @classmethod
    def of(cls, quality: FloatArray, error_percent: FloatArray) -> Bin:
        """Summarise N points, at least one."""
        good = float((error_percent <= GOOD_PERCENT).mean())
        return cls(len(quality), float(quality.mean()), good, float(error_percent.mean()))


def reliability(quality: FloatArray, error_percent: FloatArray, bins: int = 10) -> list[Bin]:
    """Return predicted and actual quality in ``bins`` of equal count, least trusted points first.

    ``error_percent`` is in per cent of the inter-ocular distance, of the same shape as ``quality``. A.
    Niculescu-Mizil and R. Caruana, "Predicting Good Probabilities With Supervised Learning", ICML 2005.
    """
    order = np.argsort(quality, axis=None, kind="stable")
    flat, errors = np.asarray(quality).ravel()[order], np.asarray(error_percent).ravel()[order]
    parts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return [Bin.of(flat[part], errors[part]) for part in parts]


class Forecast(Protocol):
    """A row of a reliability table: number of cases, mean predicted probability, and actual share."""

    @property
    def count(self) -> int:
        """Number of cases."""
        ...

    @property
    def predicted(self) -> float:
        """Mean predicted probability, 0..1."""
        ...

    @property
    def actual(self) -> float:
        """Share of cases, 0..1, in which the predicted event occurred."""
        ...


def calibration_error(table: Sequence[Forecast]) -> float:
    """Return the expected calibration error of ``table``, 0..1.

    Mean distance between predicted and actual share over all cases: M. P. Naeini et al., "Obtaining Well
    Calibrated Probabilities Using Bayesian Binning", AAAI 2015.
    """
    total = sum(row.count for row in table)
    return sum(row.count * abs(row.predicted - row.actual) for row in table) / total


def error_in_worst(quality: FloatArray, error: Float64Array, share: float = 0.1) -> float:
    """Return the part, 0..1, of the summed ``error`` that lies in the ``share`` of least trusted points."""
    order = np.argsort(quality, axis=None, kind="stable")
    errors = np.asarray(error).ravel()[order]
    return float(errors[: round(share * len(errors))].sum() / errors.sum())
