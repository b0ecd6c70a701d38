"""Breakdown of an evaluation of iBUG's points: error by yaw of the head, and bias along the face's axes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from tracker.geometry import CropTransform
from tracker.types import N_POINTS, FloatArray
from train.data.head import fit_camera
from train.evaluation.labelled import LabelledSet
from train.evaluation.results import Evaluation
from train.metrics import Float64Array

YAW_EDGES = (0.0, 15.0, 30.0, 45.0, 60.0, math.inf)
"""Limits of the bins of the absolute yaw in degrees; a bin holds its lower limit."""


@dataclass(frozen=True)
class YawBin:
    """Error of the ``faces`` whose absolute yaw lies from ``low`` up to, but not at, ``high`` degrees.

    ``misses`` of them were not found; ``mean`` and ``median`` are the error of those found, in the measure's
    unit, NaN if there are none.
    """

    low: float
    high: float
    faces: int
    misses: int
    mean: float
    median: float

    @property
    def name(self) -> str:
        """Name of the bin, such as ``15-30`` or ``60+``."""
        return f"{self.low:g}-{self.high:g}" if math.isfinite(self.high) else f"{self.low:g}+"


@dataclass(frozen=True)
class Bias:
    """Mean signed error of the points of a ``part``, predicted minus label, over the faces found.

    ``x`` and ``y`` are in the measure's unit along the face's own axes: in the picture of the upright face, x
    points to the right and y down. NaN if no face was found.
    """

    part: str
    x: float
    y: float


@dataclass(frozen=True)
class Breakdown:
    """Breakdown of the faces under one ``condition``; ``bias`` begins with ``all`` points."""

    condition: str
    yaw: tuple[YawBin, ...]
    bias: tuple[Bias, ...]


def head_yaws(faces: LabelledSet) -> dict[Path, float]:
    """Return the yaw of each face in degrees by its image, from the labelled points and the mean head."""
    known = np.ones(N_POINTS, bool)
    pairs = zip(faces.images, faces.truth, strict=True)
    return {image: float(fit_camera(points, known).yaw_deg) for image, points in pairs}


def break_down(evaluation: Evaluation, yaws_deg: dict[Path, float]) -> Breakdown:
    """Break ``evaluation`` down; ``yaws_deg`` holds the yaw of each of its images, in degrees."""
    yaws = np.array([yaws_deg[image] for image in evaluation.images])
    return Breakdown(evaluation.condition, by_yaw(evaluation, yaws), bias(evaluation))


def by_yaw(evaluation: Evaluation, yaws_deg: FloatArray) -> tuple[YawBin, ...]:
    """Return the error by absolute yaw; ``yaws_deg`` is ``(N,)``. Bins without a face are kept."""
    errors, turned = evaluation.errors, np.abs(yaws_deg)
    bins = []
    for low, high in pairwise(YAW_EDGES):
        inside = errors[(turned >= low) & (turned < high)]
        found = inside[np.isfinite(inside)]
        mean = float(found.mean()) if len(found) else math.nan
        median = float(np.median(found)) if len(found) else math.nan
        bins.append(YawBin(low, high, len(inside), len(inside) - len(found), mean, median))
    return tuple(bins)


def bias(evaluation: Evaluation) -> tuple[Bias, ...]:
    """Return the bias of all points and of each part, in this order."""
    errors = signed_errors(evaluation)
    found = errors[np.isfinite(errors).all(axis=(1, 2))]
    parts = {"all": tuple(range(N_POINTS)), **evaluation.measure.parts}
    rows = []
    for name, part in parts.items():
        x, y = found[:, list(part)].mean(axis=(0, 1)) if len(found) else (math.nan, math.nan)
        rows.append(Bias(name, float(x), float(y)))
    return tuple(rows)


def signed_errors(evaluation: Evaluation) -> Float64Array:
    """Return predicted minus true points ``(N, P, 2)`` in the measure's unit along each face's own axes.

    The axes are those of the crop around the labels, in which the head is upright. NaN for missed faces.
    """
    errors = []
    for predicted, truth in zip(evaluation.predicted, evaluation.truth, strict=True):
        crop = CropTransform.from_points(truth)
        errors.append(crop.scale * (crop.to_crop(predicted) - crop.to_crop(truth)))
    factor = 100.0 if evaluation.measure.unit == "%" else 1.0
    return np.asarray(factor * np.array(errors) / evaluation.normaliser[:, None, None], np.float64)
