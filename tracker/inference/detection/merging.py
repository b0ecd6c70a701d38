"""Merging of detections that show the same face, within a view and between views."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from tracker.inference.detection.box_correction import RawFace
from tracker.types import FloatArray

SAME_FACE_IOU = 0.3
"""IoU above which two detections are one face (MediaPipe's ``min_suppression_threshold``)."""

RIVAL_IOU = 0.1
"""The same for detections that are turned against each other: forehead and chin change places."""

OTHER_WAY_UP_RAD = math.pi / 3
"""Difference of rolls from which two detections of one face contradict each other."""

MAX_SCORE_GAP = 0.15
"""Largest difference of scores at which the landmark model decides which way up a face is.

The network gives some upside-down faces a score of 0.9 and upright key points.
"""


def weighted_nms(points: FloatArray, scores: FloatArray) -> list[tuple[FloatArray, float]]:
    """Merge detections of the same face and return mean points ``(8, 2)`` and best score of each, best first.

    ``points`` ``(N, 8, 2)`` start with the two corners of the box. The best detection is merged with all that
    overlap it by more than :data:`SAME_FACE_IOU`, as a mean weighted by their scores, then the best of the
    rest, and so on: the "blending" of section 4 of the paper, MediaPipe's ``NonMaxSuppressionCalculator`` in
    WEIGHTED mode.
    """
    order = np.argsort(-scores, kind="stable")
    points, scores = points[order], scores[order]
    merged = []
    while len(scores):
        same = _iou(points[0, :2], points[:, :2]) > SAME_FACE_IOU
        same[0] = True
        weights = scores[same] / scores[same].sum()
        merged.append((np.tensordot(weights, points[same], axes=1), float(scores[0])))
        points, scores = points[~same], scores[~same]
    return merged


def best_of_views(faces: Iterable[RawFace]) -> list[RawFace]:
    """Return each of the ``faces`` found in several views once, best score first.

    Of detections that overlap the best stays; one that is turned by over :data:`OTHER_WAY_UP_RAD` against it
    and scores little less stays beside it, since only the landmarks show which of the two is right.
    """
    kept: list[RawFace] = []
    for face in sorted(faces, key=lambda one: -one.box.score):
        if not any(_is_superseded(face, other) for other in kept):
            kept.append(face)
    return kept


def has_confident(faces: Sequence[RawFace], min_score: float) -> bool:
    """Return whether one of ``faces`` has at least ``min_score``."""
    return any(face.box.score >= min_score for face in faces)


def _is_superseded(face: RawFace, better: RawFace) -> bool:
    iou = face.box.iou(better.box)
    turn = abs(math.remainder(face.roll_rad - better.roll_rad, math.tau))
    if turn <= OTHER_WAY_UP_RAD:
        return iou > SAME_FACE_IOU
    return iou > RIVAL_IOU and face.box.score < better.box.score - MAX_SCORE_GAP


def _iou(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """Return the IoU ``(N,)`` of ``box`` ``(2, 2)``, two corners, with each of ``boxes`` ``(N, 2, 2)``."""
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    overlap = np.maximum(high - low, 0.0).prod(axis=1)
    areas = (boxes[:, 1] - boxes[:, 0]).prod(axis=1)
    return np.asarray(overlap / ((box[1] - box[0]).prod() + areas - overlap))
