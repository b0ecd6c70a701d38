"""Fit of the map from BlazeFace's key points to the tight box of iBUG's points, on training images only.

These are the training faces of 300-W, and the profiles of the people on the training side of their set.
"""

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
from train.data.pictures import read_picture
from train.data.readers import LabelledFace
from train.data.sides import Side
from train.data.splits import half_faces, official_training_faces, training_faces
from train.errors import DataError

_DECIMALS = 4
_ROUNDS = 30
_CLOSE = 0.01  # lower limit of distances, so that no face gets all the weight
_RCOND = 1e-6
_MIRROR_KEYPOINTS = [1, 0, 2, 3, 5, 4]
_FLIP = (-1.0, 1.0, 1.0, 1.0)

Pair = tuple[RawFace | None, FloatArray]
"""A detection, None if it was missed, and the labelled points."""


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
    frontal = [(_find(detector, face), face.points) for face in official_training_faces(data)]
    profiles = [_find_profile(detector, face) for face in _training_profiles(data)]
    fit = fit_correction(frontal, profiles)
    update_meta(folder, NAME, {"box_correction": fit.correction.matrix.tolist()})
    return fit


def box_errors(data: Path, folder: Path) -> list[float]:
    """Return by how much the boxes of the detector in ``folder`` miss those of validation faces, in per cent.

    The offset of the centre and the difference of the longer side, added up, in per cent of the label's
    longer side; one figure for each face that is found. Faces are those below ``data`` that validate the
    landmark models. Raises :class:`~tracker.errors.WeightsError` without a fitted detector, and
    :class:`~train.errors.DataError` if no face is found.
    """
    model = find_model(NAME, "detector", folder)
    correction = BoxCorrection.from_meta(model.meta)
    detector = BlazeFace(open_session(model.verified(), "cpu"), correction)
    errors = []
    for face in training_faces(data)[1]:
        if (raw := _find(detector, face)) is not None:
            offset, side, _ = _residual(correction.apply(raw), tight_box(face.points))
            errors.append(100 * (offset + abs(side)))
    if not errors:
        raise DataError(
            f"the detector finds none of the validation faces below {data}: is it the 300-W folder?"
        )
    return errors


def _training_profiles(data: Path) -> list[LabelledFace]:
    return half_faces(data, Side.TRAINING, ("profiles",)) if (data / "profiles").is_dir() else []


def _find_profile(detector: BlazeFace, face: LabelledFace) -> tuple[RawFace | None, FloatArray]:
    """Return the detection of a profile and its points, both in the picture with a border around it."""
    image = read_picture(face.image, colour=True)
    border = max(image.shape[:2]) // 3  # the picture ends at the face, which no detector was trained for
    framed = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_REPLICATE)
    points = face.points + border
    return _best(detector.detect_raw(np.asarray(framed, np.uint8)), points), points


def fit_correction(pairs: Sequence[Pair], profiles: Sequence[Pair] = ()) -> BoxFit:
    """Fit on pairs of a detection (None: missed) and its label ``(P, 2)``, both in the same frame.

    The residuals are those of ``pairs``, without ``profiles``.

    Minimises absolute distances by iteratively reweighted least squares (Schlossmacher, JASA 1973), so that a
    few wrong labels change little. Every face counts twice, once as its mirror image, which makes the
    correction symmetric. Raises :class:`DataError` if no pair has a detection.
    """
    found = [(face, tight_box(points)) for face, points in pairs if face is not None]
    if not found:
        raise DataError("the detector finds none of the labelled faces: is --data the 300-W folder?")
    used = [(face, points) for face, points in (*pairs, *profiles) if face is not None]
    features = np.array([box_features(face) for face, _ in used])
    targets = np.array([_target(*pair) for pair in used])
    both = np.concatenate([features, _mirrored(features)]), np.concatenate([targets, targets * _FLIP])
    correction = BoxCorrection(_least_absolute(*both).round(_DECIMALS) + 0.0)  # + 0.0: no -0
    left = np.abs([_residual(correction.apply(face), label) for face, label in found])
    spread = np.percentile(left, [50, 95], axis=0).T.reshape(-1)
    return BoxFit(correction, len(found), len(pairs) - len(found), *map(float, spread))


def tight_box(points: FloatArray) -> FaceBox:
    """Return the tight box of ``points`` ``(P, 2)`` in the axes of the upright head, with its roll."""
    upright = CropTransform.from_points(points)
    width, height = upright.scale * np.ptp(upright.to_crop(points), axis=0) / 2
    x, y = upright.center
    return FaceBox(x - width, y - height, x + width, y + height, roll_rad=upright.angle)


def _find(detector: BlazeFace, face: LabelledFace) -> RawFace | None:
    """Return the detection that overlaps the label's box most, None if none does."""
    return _best(detector.detect_raw(read_picture(face.image, colour=True)), face.points)


def _best(faces: Sequence[RawFace], points: FloatArray) -> RawFace | None:
    label = FaceBox.around(points)
    iou, best = max(
        ((raw.box.iou(label), raw) for raw in faces), key=lambda pair: pair[0], default=(0.0, None)
    )
    return best if iou > 0.0 else None


def _target(face: RawFace, points: FloatArray) -> FloatArray:
    """Return centre x, centre y, width and height of the tight box of ``points``, in the head's axes."""
    in_head = face.head.to_crop(points) - HEAD_ORIGIN
    low, high = in_head.min(axis=0), in_head.max(axis=0)
    return np.concatenate([(low + high) / 2, high - low])


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
