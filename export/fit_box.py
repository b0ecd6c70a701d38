"""Fit of the map from BlazeFace's key points to the tight 68-point box, on 300-W training images only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from export.blazeface import NAME
from export.manifest import update_meta
from tracker.geometry import CropTransform
from tracker.inference.backends import open_session
from tracker.inference.detection.blazeface import BlazeFace
from tracker.inference.detection.box_correction import (
    HEAD_ORIGIN,
    N_FEATURES,
    N_KEYPOINTS,
    BoxCorrection,
    RawFace,
    box_features,
)
from tracker.inference.weights import find_model
from tracker.types import FaceBox, FloatArray
from train.data.readers import LabelledFace
from train.data.splits import official_training_faces
from train.errors import DataError

_DECIMALS = 4
_ROUNDS = 30
_CLOSE = 0.01  # lower limit of distances, so that no face gets all the weight
_RCOND = 1e-6
_MIRROR_KEYPOINTS = [1, 0, 2, 3, 5, 4]
_FLIP = (-1.0, 1.0, 1.0, 1.0)


@dataclass(frozen=True, eq=False)
class BoxFit:
    """The fitted correction and its residuals: medians and 95th percentiles.

    ``center`` is the distance of box centres over the longer side of the label's box, ``side`` the ratio of
    longer sides minus one, both absolute; ``roll_rad`` is the difference of the rolls.
    """

    correction: BoxCorrection
    n_faces: int
    n_missed: int
    center_median: float
    center_p95: float
    side_median: float
    side_p95: float
    roll_rad_median: float
    roll_rad_p95: float


def fit_into_manifest(data: Path, folder: Path) -> BoxFit:
    """Fit on the training faces below ``data`` and write the correction into the manifest of ``folder``."""
    session = open_session(find_model(NAME, "detector", folder).verified(), "cpu")
    detector = BlazeFace(session, BoxCorrection(np.eye(4, N_FEATURES)))  # the correction is not used
    fit = fit_correction([(_find(detector, face), face.points) for face in official_training_faces(data)])
    update_meta(folder, NAME, {"box_correction": fit.correction.matrix.tolist()})
    return fit


def fit_correction(pairs: Sequence[tuple[RawFace | None, FloatArray]]) -> BoxFit:
    """Fit on pairs of a detection (None: missed) and its label ``(68, 2)``, both in the same frame.

    Minimises absolute distances by iteratively reweighted least squares (Schlossmacher, JASA 1973), so that a
    few wrong labels change little. Every face counts twice, once as its mirror image, which makes the
    correction symmetric. Raises :class:`DataError` if no pair has a detection.
    """
    found = [(face, tight_box(points)) for face, points in pairs if face is not None]
    if not found:
        raise DataError("the detector finds none of the labelled faces: is --data the 300-W folder?")
    features = np.array([box_features(face) for face, _ in found])
    targets = np.array([_target(face, label) for face, label in found])
    both = np.concatenate([features, _mirrored(features)]), np.concatenate([targets, targets * _FLIP])
    correction = BoxCorrection(_least_absolute(*both).round(_DECIMALS) + 0.0)  # + 0.0: no -0
    left = np.abs([_residual(correction.apply(face), label) for face, label in found])
    spread = np.percentile(left, [50, 95], axis=0).T.reshape(-1)
    return BoxFit(correction, len(found), len(pairs) - len(found), *map(float, spread))


def tight_box(points: FloatArray) -> FaceBox:
    """Return the tight box of ``points`` ``(68, 2)`` in the axes of the upright head, with its roll."""
    upright = CropTransform.from_points(points)
    width, height = upright.scale * np.ptp(upright.to_crop(points), axis=0) / 2
    x, y = upright.center
    return FaceBox(x - width, y - height, x + width, y + height, roll_rad=upright.angle)


def _find(detector: BlazeFace, face: LabelledFace) -> RawFace | None:
    """Return the detection that overlaps the label's box most, None if none does."""
    image = cv2.imread(str(face.image))
    if image is None:
        raise DataError(f"{face.image}: not an image that OpenCV can read")
    label = FaceBox.around(face.points)
    overlaps = [(raw.box.iou(label), raw) for raw in detector.detect_raw(image)]  # type: ignore[arg-type]
    iou, best = max(overlaps, key=lambda pair: pair[0], default=(0.0, None))
    return best if iou > 0.0 else None


def _target(face: RawFace, label: FaceBox) -> tuple[float, float, float, float]:
    """Return the label's centre x, centre y, width and height in the axes of the detected head."""
    x, y = face.head.to_crop(np.array(label.center)) - HEAD_ORIGIN
    return float(x), float(y), label.width / face.head.scale, label.height / face.head.scale


def _mirrored(features: FloatArray) -> FloatArray:
    """Return the features of the mirror images: left and right key points swap, x changes its sign."""
    points = features[:, 1:].reshape(-1, N_KEYPOINTS, 2)[:, _MIRROR_KEYPOINTS] * (-1.0, 1.0)
    return np.concatenate([features[:, :1], points.reshape(len(features), -1)], axis=1)


def _least_absolute(features: FloatArray, targets: FloatArray) -> FloatArray:
    """Return the matrix that minimises the summed distance of ``matrix @ features`` from ``targets``."""
    weights = np.ones((len(features), 1))
    for _ in range(_ROUNDS):
        # Key points have mean 0 and spread 1, so columns are dependent: lstsq takes the least norm.
        solution = np.linalg.lstsq(features * weights, targets * weights, rcond=_RCOND)[0]
        distance = np.linalg.norm(targets - features @ solution, axis=1, keepdims=True)
        weights = 1 / np.sqrt(np.maximum(distance, _CLOSE))
    return np.asarray(solution.T)


def _residual(box: FaceBox, label: FaceBox) -> tuple[float, float, float]:
    side = max(label.width, label.height)
    offset = math.dist(box.center, label.center) / side
    roll = math.remainder(box.roll_rad - label.roll_rad, math.tau)
    return offset, max(box.width, box.height) / side - 1, roll
