"""Predicted and true points of any model, and their summary in numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from tracker.types import FloatArray
from train.errors import DataError
from train.evaluation.bootstrap import mean_interval
from train.metrics import Float64Array, area_under_curve, box_size, failure_rate, point_distances

IndexArray = npt.NDArray[np.intp]

Condition = Literal["label box", "whole picture", "own detector"]


@dataclass(frozen=True)
class Measure:
    """Unit and limits of an error: per cent of a face's normaliser (``%``) or pixels (``px``).

    A face whose error exceeds ``failure`` counts as failed; the cumulative curve, and the area under it, end
    at ``limit``. ``parts`` are named groups of points that together are all points, each once.
    """

    unit: Literal["%", "px"]
    failure: float
    limit: float
    parts: Mapping[str, tuple[int, ...]]

    def __post_init__(self) -> None:
        points = sorted(point for part in self.parts.values() for point in part)
        if not points or points != list(range(len(points))):
            raise ValueError(f"parts must hold each point once, got {dict(self.parts)}")
        if self.failure <= 0 or self.limit <= 0:
            raise ValueError(f"failure and limit must be positive, got {self.failure} and {self.limit}")

    @property
    def error_name(self) -> str:
        """Name of the error with its unit."""
        return "NME, %" if self.unit == "%" else "distance, px of 640x480"

    @property
    def n_points(self) -> int:
        """Number of points of a face."""
        return sum(map(len, self.parts.values()))


@dataclass(frozen=True, eq=False)
class Evaluation:
    """N faces under one ``condition``; coordinates are pixels of the whole image.

    ``predicted`` and ``truth`` are ``(N, P, 2)``; a face that was missed is NaN in ``predicted``.
    ``normaliser`` is ``(N,)``: the length in these pixels that is 100 %, or 1 px of the measure. ``images``
    and ``subsets`` name each face's image file and test subset, ``people`` whose face it is; empty if each
    is another person's.

    Raises :class:`~train.errors.DataError` if shapes disagree, there is no face, a true point is not finite
    or a normaliser is not positive.
    """

    condition: Condition
    measure: Measure
    images: tuple[Path, ...]
    subsets: tuple[str, ...]
    predicted: FloatArray
    truth: FloatArray
    normaliser: FloatArray
    people: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.images)
        if self.people and len(self.people) != count:
            raise DataError(f"expected {count} people, got {len(self.people)}")
        shape = (count, self.measure.n_points, 2)
        if count == 0 or self.truth.shape != shape or self.predicted.shape != shape:
            raise DataError(f"expected points {shape}, got {self.predicted.shape} and {self.truth.shape}")
        if len(self.subsets) != count or self.normaliser.shape != (count,):
            raise DataError(
                f"expected {count} subsets and normalisers, got {len(self.subsets)}, {self.normaliser.shape}"
            )
        usable = np.isfinite(self.truth).all(axis=(1, 2)) & (self.normaliser > 0)
        for index in np.flatnonzero(~usable)[:1]:
            raise DataError(f"{self.images[index]}: its labels have no finite size to measure errors by")

    @property
    def point_errors(self) -> Float64Array:
        """Error of each point, ``(N, P)`` in the measure's unit; ``inf`` where the face was missed."""
        factor = 100.0 if self.measure.unit == "%" else 1.0
        errors = factor * point_distances(self.predicted, self.truth) / self.normaliser[:, None]
        return np.where(np.isnan(errors), math.inf, errors)

    @property
    def errors(self) -> Float64Array:
        """Mean error over each face's points, ``(N,)``; ``inf`` where it was missed."""
        return np.asarray(self.point_errors.mean(axis=1), np.float64)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the subsets, in order of appearance."""
        return tuple(dict.fromkeys(self.subsets))

    def groups(self) -> dict[str, IndexArray]:
        """Return the rows of each subset and, if there are several, of all together, last.

        The name of all together is such as ``lfpw + helen``.
        """
        subsets = np.array(self.subsets)
        rows: dict[str, IndexArray] = {name: np.flatnonzero(subsets == name) for name in self.names}
        return rows if len(rows) == 1 else {**rows, " + ".join(rows): np.arange(len(subsets))}


@dataclass(frozen=True)
class Score:
    """Accuracy on the ``faces`` of one subset, of which ``misses`` were not found.

    ``mean`` (with the ends of its 95 % interval), ``median`` and the ``parts`` are in the measure's unit,
    over the faces that were found; ``box_mean`` is the mean error in per cent of the label box's size. All
    are NaN if no face was found, ``box_mean`` also for a single point, which has no box. In ``failure_rate``
    and ``auc`` (both 0..1) a miss counts as an infinite error. For the interval all faces of a person are
    drawn together.
    """

    subset: str
    faces: int
    misses: int
    mean: float
    mean_low: float
    mean_high: float
    median: float
    box_mean: float
    failure_rate: float
    auc: float
    parts: Mapping[str, float]


def scores(evaluation: Evaluation) -> tuple[Score, ...]:
    """Return the score of each subset, then, if there are several, of all faces together."""
    return tuple(_score(evaluation, name, rows) for name, rows in evaluation.groups().items())


def _score(evaluation: Evaluation, subset: str, rows: IndexArray) -> Score:
    measure, point_errors = evaluation.measure, evaluation.point_errors[rows]
    errors = point_errors.mean(axis=1)
    hit = np.isfinite(errors)
    found = errors[hit]
    people = np.array(evaluation.people)[rows][hit] if evaluation.people else None
    low, high = mean_interval(found, groups=people)
    return Score(
        subset=subset,
        faces=len(rows),
        misses=int((~hit).sum()),
        mean=_mean(found),
        mean_low=low,
        mean_high=high,
        median=float(np.median(found)) if len(found) else math.nan,
        box_mean=_box_mean(evaluation, rows[hit]),
        failure_rate=failure_rate(errors, measure.failure),
        auc=area_under_curve(errors, measure.limit),
        parts={name: _mean(point_errors[hit][:, list(part)]) for name, part in measure.parts.items()},
    )


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else math.nan


def _box_mean(evaluation: Evaluation, rows: IndexArray) -> float:
    if evaluation.measure.n_points == 1:
        return math.nan
    truth = evaluation.truth[rows]
    distances = point_distances(evaluation.predicted[rows], truth).mean(axis=1)
    return _mean(100 * distances / box_size(truth))
