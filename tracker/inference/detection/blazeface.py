"""BlazeFace (short range) on ONNX Runtime: the default face detector.

The network is that of Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"
(arXiv:1907.05047), as MediaPipe ships it. Letterbox, anchors, decoding and weighted non-maximum suppression
follow MediaPipe's graph ``face_detection_short_range`` (mediapipe/modules/face_detection), so that both give
the same result for the whole picture. The network sees a view at 128 x 128 pixels and finds faces down to
about a sixth of the view's side; smaller ones are found in close-ups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tracker.errors import WeightsError
from tracker.geometry import CropTransform
from tracker.inference.detection.box_correction import N_KEYPOINTS, BoxCorrection, RawFace
from tracker.inference.detection.detector import check_picture
from tracker.inference.detection.views import close_ups, whole_picture
from tracker.inference.sessions import Session
from tracker.types import FaceBox, FloatArray, ImageArray

INPUT_SIZE = 128
"""Width and height in pixels of the network's input."""

ANCHORS_PER_CELL = {8: 2, 16: 6}
"""Anchors per cell of the feature map with each stride in pixels (three layers share stride 16)."""

N_ANCHORS = 896

SAME_FACE_IOU = 0.3
"""IoU above which two detections are one face (MediaPipe's ``min_suppression_threshold``)."""

CLOSE_UP_MIN_SCORE = 0.65
"""Least score of a face in a close-up, if ``min_score`` is lower.

On 180 training images of 300-W, close-ups add 71 boxes to those of the whole picture at a score of 0.5 and 10
at 0.65, nearly all of them hair, hands and necklaces; of 53 faces in a street scene 49 are kept.
"""

_LOGIT_LIMIT = 100.0
_SAME_EDGE = 0.5  # distance in pixels within which the border of a view is that of the picture


class BlazeFace:
    """The BlazeFace network as a :class:`~tracker.inference.detection.detector.FaceDetector`.

    ``session`` runs the network. ``min_score`` is the least score of a face in the whole picture; in
    close-ups it is at least :data:`CLOSE_UP_MIN_SCORE`. Raises ``ValueError`` unless ``0 < min_score < 1``
    and :class:`WeightsError` if ``session`` runs another network.
    """

    def __init__(self, session: Session, correction: BoxCorrection, min_score: float = 0.5) -> None:
        if not 0.0 < min_score < 1.0:
            raise ValueError(f"min_score must lie between 0 and 1, got {min_score}")
        self._session = session
        self._correction = correction
        self._min_score = min_score
        self._anchors = make_anchors()
        self._check_contract()

    def views(self, image_hw: tuple[int, int]) -> Sequence[CropTransform]:
        """Return the whole picture of ``image_hw`` = (height, width), then its close-ups, coarse to fine."""
        return [whole_picture(image_hw, INPUT_SIZE), *close_ups(image_hw, INPUT_SIZE)]

    def detect(self, image_bgr: ImageArray, views: Sequence[CropTransform] | None = None) -> list[FaceBox]:
        """Return the faces in ``image_bgr`` ``(H, W, 3)`` uint8 as tight 68-point boxes, best score first.

        Each face is reported once, however many of the ``views`` show it. Raises ``ValueError`` for an array
        of another type or shape.
        """
        check_picture(image_bgr)
        if views is None:
            views = self.views((image_bgr.shape[0], image_bgr.shape[1]))
        return [self._correction.apply(face) for face in self.detect_raw(image_bgr, views)]

    def detect_raw(
        self, image_bgr: ImageArray, views: Sequence[CropTransform] | None = None
    ) -> list[RawFace]:
        """Return the faces as BlazeFace reports them, best score first.

        ``views`` are upright crops of :data:`INPUT_SIZE`, by default the whole picture only, for which the
        result is the same as MediaPipe's. Raises ``ValueError`` for an array of another type or shape.
        """
        check_picture(image_bgr)
        whole = whole_picture((image_bgr.shape[0], image_bgr.shape[1]), INPUT_SIZE)
        close_up_score = max(self._min_score, CLOSE_UP_MIN_SCORE)
        views = [whole] if views is None else views
        least = [self._min_score if view == whole else close_up_score for view in views]
        if not views:
            return []
        seen = [self._candidates(image_bgr, view, score) for view, score in zip(views, least, strict=True)]
        points, scores = (np.concatenate(parts) for parts in zip(*seen, strict=True))
        return [_raw_face(*merged) for merged in weighted_nms(points, scores)]

    def _candidates(
        self, image_bgr: ImageArray, view: CropTransform, min_score: float
    ) -> tuple[FloatArray, FloatArray]:
        """Run the network on ``view`` and return points ``(N, 8, 2)`` in frame pixels and scores ``(N,)``."""
        raw, logits = self._session.run(_network_input(image_bgr, view)[None])
        keep = np.flatnonzero(logits >= math.log(min_score / (1.0 - min_score)))
        points = decode(raw[keep], self._anchors[keep])
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[keep].astype(np.float64), -_LOGIT_LIMIT, _LOGIT_LIMIT)))
        has_area = (points[:, 1] > points[:, 0]).all(axis=1) & (np.ptp(points[:, 2:], axis=1) > 0).any(axis=1)
        real = has_area & np.isfinite(points).all(axis=(1, 2))
        real &= ~_is_cut(points[:, :2], view, image_bgr.shape[:2])
        return view.to_frame(points[real] * INPUT_SIZE), scores[real]

    def _check_contract(self) -> None:
        blank = np.zeros((1, INPUT_SIZE, INPUT_SIZE, 3), np.uint8)
        shapes = [output.shape for output in self._session.run(blank)]
        expected = [(N_ANCHORS, 2 * (2 + N_KEYPOINTS)), (N_ANCHORS,)]
        if shapes != expected:
            raise WeightsError(f"a BlazeFace model gives outputs {expected}, this one {shapes}")


def make_anchors() -> FloatArray:
    """Return the anchor centres ``(896, 2)``, x then y in 0..1, row by row, all anchors of a cell together.

    MediaPipe's ``SsdAnchorsCalculator`` with ``fixed_anchor_size``: every anchor is 1 x 1, so only the
    centres matter.
    """
    maps = []
    for stride, per_cell in ANCHORS_PER_CELL.items():
        cells = INPUT_SIZE // stride
        y, x = np.divmod(np.arange(cells * cells), cells)
        maps.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / cells, per_cell, axis=0))
    return np.concatenate(maps)


def decode(raw: FloatArray, anchors: FloatArray) -> FloatArray:
    """Decode network outputs ``raw`` ``(N, 16)`` at ``anchors`` ``(N, 2)`` to points ``(N, 8, 2)`` in 0..1.

    The points are the top-left and bottom-right corner of the box, then the six key points. ``raw`` holds
    centre, size and key points in input pixels, all but the size relative to the anchor.
    """
    points = raw.astype(np.float64).reshape(-1, 2 + N_KEYPOINTS, 2) / INPUT_SIZE
    center, half = points[:, 0] + anchors, points[:, 1] / 2
    points[:, 2:] += anchors[:, None]
    points[:, 0], points[:, 1] = center - half, center + half
    return points


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


def _network_input(image_bgr: ImageArray, view: CropTransform) -> ImageArray:
    """Return ``view`` of the picture as RGB, sampled bilinearly, black outside, as the network was trained.

    The same calls as in MediaPipe's OpenCV converter, rounding included: where samples fall half-way between
    pixels, another form of the same map differs by a grey level and moves a box by up to 3 %.
    """
    corners = np.array([[0, 1], [0, 0], [1, 0], [1, 1]], np.float32) * INPUT_SIZE
    to_view = cv2.getPerspectiveTransform(view.to_frame(corners).astype(np.float32), corners)
    seen = cv2.warpPerspective(image_bgr, to_view, (INPUT_SIZE, INPUT_SIZE), flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(seen, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _is_cut(boxes: FloatArray, view: CropTransform, image_hw: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return a mask ``(N,)`` of the ``boxes`` that cross the border of ``view`` inside the picture.

    ``boxes`` are ``(N, 2, 2)``, corners in 0..1 of the view. Such a face is seen in part; a neighbouring view
    shows it whole.
    """
    low, high = view.to_frame(np.array([[0.0, 0.0], [INPUT_SIZE, INPUT_SIZE]]))
    height, width = image_hw
    inner_low, inner_high = low > _SAME_EDGE, high < np.array([width, height]) - _SAME_EDGE
    return np.asarray((inner_low & (boxes[:, 0] < 0) | inner_high & (boxes[:, 1] > 1)).any(axis=1))


def _iou(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """Return the IoU ``(N,)`` of ``box`` ``(2, 2)``, two corners, with each of ``boxes`` ``(N, 2, 2)``."""
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    overlap = np.maximum(high - low, 0.0).prod(axis=1)
    areas = (boxes[:, 1] - boxes[:, 0]).prod(axis=1)
    return np.asarray(overlap / ((box[1] - box[0]).prod() + areas - overlap))


def _raw_face(points: FloatArray, score: float) -> RawFace:
    (x0, y0), (x1, y1) = points[:2]
    return RawFace(FaceBox(float(x0), float(y0), float(x1), float(y1), score), points[2:])
