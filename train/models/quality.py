"""How far to trust each point: the width of its map, calibrated into a probability."""

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
from train.models.heatmap import RING, cell_centers

GOOD_PERCENT = 5.0
"""A point is good within this share of the distance between the outer eye corners."""

_NEWTON_STEPS = 50
_MIN_SCALE = 1e-9  # spreads that differ by less are the same but for rounding
_MIN_SPREAD = 1e-4  # crop sides, 0.02 pixels of 224: a map that is all in one cell has a width of 0


def spread(maps: Tensor) -> Tensor:
    """Standard deviation of the softmax of each map ``(N, P, K + 2, K + 2)``: ``(N, P)`` in crop sides.

    It is that of the distance from the mean: the root of the sum of the variances along x and y.
    """
    centers = cell_centers(maps.shape[-1] - 2 * RING, maps.device)
    y, x = torch.meshgrid(centers, centers, indexing="ij")
    moments = torch.stack([x.flatten(), y.flatten(), (x**2 + y**2).flatten()], dim=1)
    found = torch.matmul(maps.float().flatten(2).softmax(dim=-1), moments)
    return (found[..., 2] - found[..., 0] ** 2 - found[..., 1] ** 2).clamp(min=0).sqrt()


@dataclass(frozen=True)
class Calibration:
    """``quality = sigmoid(intercept - slope * log(spread))``: the probability that a point is good.

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
        """0..1 for each spread in crop sides, of any shape."""
        return torch.sigmoid(self.intercept - self.slope * spread_sides.clamp(min=_MIN_SPREAD).log())

    @classmethod
    def fit(cls, spread_sides: FloatArray, good: npt.NDArray[np.bool_]) -> Calibration:
        """The most likely calibration of points with these spreads, good or not, of equal shape.

        Raises :class:`~train.errors.RunError` if a spread is not finite, if all points are good, or none, or
        if no calibration is the most likely: of points that spread tells apart without fault, or not at all.
        """
        outcome = np.asarray(good, np.float64).ravel()
        if len(outcome) == 0 or outcome.min() == outcome.max():
            raise RunError("all of these points are good, or none: too few to calibrate on")
        feature = np.log(np.clip(np.asarray(spread_sides, np.float64).ravel(), _MIN_SPREAD, None))
        if not np.isfinite(feature).all():
            raise RunError("the network's maps are not finite, so quality cannot be calibrated on them")
        middle, scale = feature.mean(), max(float(feature.std()), _MIN_SCALE)
        narrow = (middle - feature) / scale  # of unit width, so that a step is as long for any network's maps
        level, slope = _most_likely(np.column_stack([np.ones_like(narrow), narrow]), outcome)
        return cls(float(level + slope / scale * middle), float(slope / scale))


def _most_likely(design: Float64Array, outcome: Float64Array) -> Float64Array:
    """Weights of the columns of ``design`` ``(N, 2)``, the first all ones, for ``outcome`` ``(N,)`` 0 or 1.

    Newton's method on the convex log-likelihood.
    """
    weights = np.array([np.log(outcome.mean() / (1 - outcome.mean())), 0.0])
    for _ in range(_NEWTON_STEPS):
        chance = 1 / (1 + np.exp(-design @ weights))
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design
        try:
            step = np.linalg.solve(curvature, design.T @ (outcome - chance))
        except np.linalg.LinAlgError:
            break
        # A full step can overshoot where the start is far off; one this long is still far from the end.
        weights = weights + step * min(1.0, 2.0 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < 1e-10:
            return weights
    raise RunError("spread tells these points apart without fault, or not at all: too few to calibrate on")


@dataclass(frozen=True)
class Bin:
    """Points of like quality: how many, their mean quality ``predicted``, the share 0..1 that is good, and
    their mean error in per cent of the inter-ocular distance."""

    count: int
    predicted: float
    actual: float
    mean_error: float

    @classmethod
    def of(cls, quality: FloatArray, error_percent: FloatArray) -> Bin:
        """That of N points, at least one."""
        good = float((error_percent <= GOOD_PERCENT).mean())
        return cls(len(quality), float(quality.mean()), good, float(error_percent.mean()))


def reliability(quality: FloatArray, error_percent: FloatArray, bins: int = 10) -> list[Bin]:
    """Predicted against actual, in ``bins`` of equal count from the least to the most trusted points.

    ``error_percent`` is in per cent of the inter-ocular distance, of the same shape as ``quality``.
    A. Niculescu-Mizil and R. Caruana, "Predicting Good Probabilities With Supervised Learning", ICML 2005.
    """
    order = np.argsort(quality, axis=None, kind="stable")
    flat, errors = np.asarray(quality).ravel()[order], np.asarray(error_percent).ravel()[order]
    parts = [part for part in np.array_split(np.arange(len(order)), bins) if len(part)]
    return [Bin.of(flat[part], errors[part]) for part in parts]


class Forecast(Protocol):
    """A row of a reliability table: so many cases, their mean probability ``predicted``, and what became of
    them, ``actual``."""

    @property
    def count(self) -> int: ...

    @property
    def predicted(self) -> float: ...

    @property
    def actual(self) -> float: ...


def calibration_error(table: Sequence[Forecast]) -> float:
    """Mean distance between predicted and actual share over the cases of ``table``, 0..1.

    The expected calibration error of M. P. Naeini et al., "Obtaining Well Calibrated Probabilities Using
    Bayesian Binning", AAAI 2015.
    """
    total = sum(row.count for row in table)
    return sum(row.count * abs(row.predicted - row.actual) for row in table) / total


def error_in_worst(quality: FloatArray, error: Float64Array, share: float = 0.1) -> float:
    """How much of the summed ``error``, 0..1, lies in the ``share`` of points that are trusted least."""
    order = np.argsort(quality, axis=None, kind="stable")
    errors = np.asarray(error).ravel()[order]
    return float(errors[: round(share * len(errors))].sum() / errors.sum())
