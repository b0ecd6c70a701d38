"""BlazeFace short range on our own runtime: the default face detector.

The network is that of Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile
GPUs" (arXiv:1907.05047), as MediaPipe ships it. Letterbox, anchors, decoding and weighted non-maximum
suppression repeat MediaPipe's graph ``face_detection_short_range`` (mediapipe/modules/face_detection),
so that both give the same answer for the whole picture. The network sees 128 x 128 pixels of its view,
hence faces down to about a sixth of the view's side; smaller ones are found in close-ups.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from tracker.errors import WeightsError
from tracker.geometry import CropTransform
from tracker.inference.backends import Session
from tracker.inference.detection.views import close_ups, whole_picture
from tracker.types import FaceBox, FloatArray, ImageArray

INPUT_SIZE = 128
"""Width and height of the picture that the network sees."""

ANCHORS_PER_CELL = {8: 2, 16: 6}
"""Stride of a feature map in input pixels, to its anchors per cell (three layers share stride 16)."""

N_ANCHORS = 896
N_KEYPOINTS = 6

SAME_FACE_IOU = 0.3
"""Answers that overlap more than this are one face (MediaPipe's ``min_suppression_threshold``)."""

CLOSE_UP_MIN_SCORE = 0.65
"""Answers in close-ups below this are dropped whatever ``min_score``.

On 180 training images of 300-W close-ups add 71 boxes beside those of the whole picture at 0.5 and 10
at 0.65, nearly all of them hair, hands and necklaces; of 53 faces in a street scene this keeps 49.
"""

N_FEATURES = 1 + 2 * N_KEYPOINTS
HEAD_ORIGIN = 0.5
"""Both coordinates of the origin of :attr:`RawFace.head`."""

_LOGIT_LIMIT = 100.0
_SAME_EDGE = 0.5  # pixels
_MIN_BOX = 1.0  # in units of the key points' spread; faces have about 2.8


@dataclass(frozen=True, eq=False)
class RawFace:
    """BlazeFace's own answer: its square box (forehead to chin) and six key points, frame pixels.

    ``keypoints_frame`` ``(6, 2)``: the eye on screen left and the one on the right of an upright
    head, nose tip, mouth, then the ear regions on screen left and right.
    """

    box: FaceBox
    keypoints_frame: FloatArray

    def __post_init__(self) -> None:
        if self.keypoints_frame.shape != (N_KEYPOINTS, 2):
            raise ValueError(f"key points must be ({N_KEYPOINTS}, 2), got {self.keypoints_frame.shape}")
        if not _spread(self.keypoints_frame) > 0:
            raise ValueError("key points must be finite and must not all coincide")

    @property
    def roll_rad(self) -> float:
        """Angle of the line through the eyes, radians, clockwise on screen."""
        dx, dy = self.keypoints_frame[1] - self.keypoints_frame[0]
        return math.atan2(float(dy), float(dx))

    @property
    def head(self) -> CropTransform:
        """The head's own axes: origin the mean of the key points, x along the eyes, unit their spread.

        A patch of two by two units; its middle, :data:`HEAD_ORIGIN`, is the origin.
        """
        x, y = self.keypoints_frame.mean(axis=0)
        return CropTransform((float(x), float(y)), 2 * _spread(self.keypoints_frame), self.roll_rad, size=2)


@dataclass(frozen=True, eq=False)
class BoxCorrection:
    """From BlazeFace's key points to the tight box of the 68 landmarks, measured with the head upright.

    BlazeFace's own box stays upright and shrinks when the head rolls; its key points turn with the
    head, so the box is a linear function of them in the head's own axes (origin their mean, x along the
    eyes, unit their root mean square distance from the origin). ``matrix`` ``(4, 13)`` float: rows
    centre x, centre y, width, height; columns a constant, then x and y of each key point.
    Fitted on training images by ``python -m export fit-box``.
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        if self.matrix.shape != (4, N_FEATURES) or not np.isfinite(self.matrix).all():
            raise ValueError(f"a box correction is finite and (4, {N_FEATURES}), got {self.matrix.shape}")

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> BoxCorrection:
        """Read ``box_correction`` of a detector's manifest entry; :class:`WeightsError` if unusable."""
        try:
            return cls(np.array(meta["box_correction"], np.float64))
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"the detector's box_correction in the manifest cannot be used ({error}): "
                "run python -m export fit-box, or reinstall tracker"
            ) from error

    def apply(self, face: RawFace) -> FaceBox:
        """The box of ``face``, turned about its centre by the head's roll."""
        head = face.head
        x, y, width, height = self.matrix @ box_features(face)
        center_x, center_y = head.to_frame(np.array([x, y]) + HEAD_ORIGIN)
        # A face of odd proportions must not extrapolate to a box without area.
        half_w, half_h = (max(float(size), _MIN_BOX) * head.scale / 2 for size in (width, height))
        x0, y0 = float(center_x) - half_w, float(center_y) - half_h
        return FaceBox(x0, y0, x0 + 2 * half_w, y0 + 2 * half_h, face.box.score, face.roll_rad)


def box_features(face: RawFace) -> FloatArray:
    """What a :class:`BoxCorrection` multiplies: 1 and the key points in the head's axes, ``(13,)``."""
    in_head = face.head.to_crop(face.keypoints_frame) - HEAD_ORIGIN
    return np.concatenate([[1.0], in_head.reshape(-1)])


class BlazeFace:
    """The default :class:`~tracker.inference.detection.detector.FaceDetector`.

    ``min_score`` is the least score of a face in the whole picture; close-ups need at least
    :data:`CLOSE_UP_MIN_SCORE`. Raises ``ValueError`` unless ``0 < min_score < 1`` and
    :class:`WeightsError` if ``session`` runs another network.
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
        """The whole picture ``image_hw`` high and wide, then its close-ups, coarse to fine."""
        return [whole_picture(image_hw, INPUT_SIZE), *close_ups(image_hw, INPUT_SIZE)]

    def detect(self, image_bgr: ImageArray, views: Sequence[CropTransform] | None = None) -> list[FaceBox]:
        """Faces in ``image_bgr`` ``(H, W, 3)`` uint8 as tight 68-point boxes, best score first.

        One answer per face, however many of the ``views`` show it. Raises ``ValueError`` for a wrong picture.
        """
        check_picture(image_bgr)
        if views is None:
            views = self.views((image_bgr.shape[0], image_bgr.shape[1]))
        return [self._correction.apply(face) for face in self.detect_raw(image_bgr, views)]

    def detect_raw(
        self, image_bgr: ImageArray, views: Sequence[CropTransform] | None = None
    ) -> list[RawFace]:
        """Faces as BlazeFace itself reports them, best score first.

        Looks at ``views``, upright ones of :data:`INPUT_SIZE`; by default at the whole picture, for which
        alone the answer is MediaPipe's. Raises ``ValueError`` for a wrong picture.
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
        """What the network sees in ``view``: points ``(N, 8, 2)`` in frame pixels and scores ``(N,)``."""
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
    """Anchor centres ``(896, 2)``, x then y in 0..1: rows of cells, all anchors of a cell together.

    MediaPipe's ``SsdAnchorsCalculator`` with ``fixed_anchor_size``: every anchor is 1 x 1, so
    only the centres matter.
    """
    maps = []
    for stride, per_cell in ANCHORS_PER_CELL.items():
        cells = INPUT_SIZE // stride
        y, x = np.divmod(np.arange(cells * cells), cells)
        maps.append(np.repeat((np.stack([x, y], axis=1) + 0.5) / cells, per_cell, axis=0))
    return np.concatenate(maps)


def decode(raw: FloatArray, anchors: FloatArray) -> FloatArray:
    """Network output ``(N, 16)`` at ``anchors`` ``(N, 2)`` to points ``(N, 8, 2)`` in 0..1.

    The points are the box's top-left and bottom-right corner, then the six key points. ``raw``
    holds centre, size and key points in input pixels, all but the size relative to the anchor.
    """
    points = raw.astype(np.float64).reshape(-1, 2 + N_KEYPOINTS, 2) / INPUT_SIZE
    center, half = points[:, 0] + anchors, points[:, 1] / 2
    points[:, 2:] += anchors[:, None]
    points[:, 0], points[:, 1] = center - half, center + half
    return points


def weighted_nms(points: FloatArray, scores: FloatArray) -> list[tuple[FloatArray, float]]:
    """Merge answers for the same face: mean points ``(8, 2)`` and the best score, best first.

    ``points`` ``(N, 8, 2)`` start with the box's two corners. The best answer left takes along all
    that overlap it more than :data:`SAME_FACE_IOU`, averaged with their scores as weights: the
    "blending" of the paper's section 4, MediaPipe's ``NonMaxSuppressionCalculator`` in WEIGHTED mode.
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


def check_picture(image_bgr: ImageArray) -> None:
    """Raise ``ValueError`` unless ``image_bgr`` is a non-empty uint8 ``(H, W, 3)`` array."""
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or not image_bgr.size:
        raise ValueError(f"expected a uint8 (H, W, 3) picture, got {image_bgr.dtype} {image_bgr.shape}")


def _network_input(image_bgr: ImageArray, view: CropTransform) -> ImageArray:
    """Sample ``view`` bilinearly, black outside, without smoothing, as the network was trained.

    The same calls as in MediaPipe's OpenCV converter, rounding included: where samples fall half-way
    between pixels, any other way to write this map differs by a grey level and moves a box by up to 3 %.
    """
    corners = np.array([[0, 1], [0, 0], [1, 0], [1, 1]], np.float32) * INPUT_SIZE
    to_view = cv2.getPerspectiveTransform(view.to_frame(corners).astype(np.float32), corners)
    seen = cv2.warpPerspective(image_bgr, to_view, (INPUT_SIZE, INPUT_SIZE), flags=cv2.INTER_LINEAR)
    return cv2.cvtColor(seen, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _is_cut(boxes: FloatArray, view: CropTransform, image_hw: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Which ``boxes`` ``(N, 2, 2)``, corners in 0..1 of ``view``, cross its border inside the picture.

    Such a face is seen in part; a neighbouring view has it whole.
    """
    low, high = view.to_frame(np.array([[0.0, 0.0], [INPUT_SIZE, INPUT_SIZE]]))
    height, width = image_hw
    inner_low, inner_high = low > _SAME_EDGE, high < np.array([width, height]) - _SAME_EDGE
    return np.asarray((inner_low & (boxes[:, 0] < 0) | inner_high & (boxes[:, 1] > 1)).any(axis=1))


def _spread(keypoints: FloatArray) -> float:
    """Root mean square distance of ``(6, 2)`` points from their mean."""
    return math.sqrt(float(keypoints.var(axis=0).sum()))


def _iou(box: FloatArray, boxes: FloatArray) -> FloatArray:
    """Intersection over union of ``box`` ``(2, 2)`` with each of ``boxes`` ``(N, 2, 2)``, corner pairs."""
    low, high = np.maximum(box[0], boxes[:, 0]), np.minimum(box[1], boxes[:, 1])
    overlap = np.maximum(high - low, 0.0).prod(axis=1)
    areas = (boxes[:, 1] - boxes[:, 0]).prod(axis=1)
    return np.asarray(overlap / ((box[1] - box[0]).prod() + areas - overlap))


def _raw_face(points: FloatArray, score: float) -> RawFace:
    (x0, y0), (x1, y1) = points[:2]
    return RawFace(FaceBox(float(x0), float(y0), float(x1), float(y1), score), points[2:])
