"""BlazeFace (short range) on ONNX Runtime: the default face detector.

The network is that of Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs"
(arXiv:1907.05047), as MediaPipe ships it. Letterbox, anchors, decoding and weighted non-maximum suppression
follow MediaPipe's graph ``face_detection_short_range`` (mediapipe/modules/face_detection), so that both give
the same result for the whole picture at 128 x 128 pixels. The network is fully convolutional: larger views of
the picture show smaller faces.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from tracker.errors import WeightsError
from tracker.geometry import Raster
from tracker.inference.detection.anchors import decode, make_anchors
from tracker.inference.detection.box_correction import N_KEYPOINTS, BoxCorrection, RawFace
from tracker.inference.detection.detector import check_picture
from tracker.inference.detection.merging import best_of_views, has_confident, weighted_nms
from tracker.inference.detection.views import (
    COARSEST,
    View,
    close_ups,
    passes,
    whole_picture,
    with_border,
)
from tracker.inference.sessions import Session
from tracker.types import FaceBox, FloatArray, Frame, ImageArray

STILL_MIN_SCORE = 0.4
"""Default of the least score of a face in a still image, of which many are looked at more closely.

On 56 photographs of groups the boxes at 0.5 hold 44 % of the faces of 24 to 32 pixels, those at 0.4 49 %. The
tracker locates each box and decides on all the evidence, so that more boxes cost time but no false faces.
"""

TURNED_MIN_SCORE = 0.6
"""Least score of a face in the turned views of a still image: most boxes there are false."""

CONFIDENT = 0.8
"""Score of an upright face from which no finer turned views of a still image are searched."""

TURNED_LEVELS = (1, 3)
"""Passes, coarse to fine, that are repeated with the picture turned by quarters: least and most.

The least is enough where an upright face is clear: people in a picture rarely stand different ways up.
"""

_LOGIT_LIMIT = 100.0
_SAME_EDGE = 0.5  # distance in pixels within which the border of a view is that of the picture


class BlazeFace:
    """The BlazeFace network as a :class:`~tracker.inference.detection.detector.FaceDetector`.

    ``session`` runs the network. ``min_score`` is the least score of a face in the views of a video,
    ``still_min_score`` in a still image; turned faces need :data:`TURNED_MIN_SCORE` there.

    Raises ``ValueError`` unless both lie between 0 and 1, and :class:`WeightsError` if ``session`` runs
    another network.
    """

    def __init__(
        self,
        session: Session,
        correction: BoxCorrection,
        min_score: float = 0.5,
        still_min_score: float = STILL_MIN_SCORE,
    ) -> None:
        if not (0.0 < min_score < 1.0 and 0.0 < still_min_score < 1.0):
            raise ValueError(f"min_score must lie between 0 and 1, got {min_score} and {still_min_score}")
        self._session = session
        self._correction = correction
        self._min_score = min_score
        self._still_min_score = still_min_score
        self._check_contract()

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture, ``image_hw`` = (height, width) square pixels, then its close-ups.

        The view of the whole picture has no black bars, which would be a quarter of the work or more.
        """
        return [passes(image_hw)[0], *close_ups(image_hw)]

    def detect(self, frame: Frame, views: Sequence[View] | None = None) -> list[FaceBox]:
        """Return the tight boxes of iBUG's points in ``frame``, in square pixels, best score first.

        Each face is reported once, however many of the ``views`` show it. Without ``views`` the picture is
        searched as a still image: in full at all sizes, and turned. Where two views contradict each other
        about which way up a face is, both boxes are reported.
        """
        picture = Raster.of(frame)
        faces = self._detect_still(picture) if views is None else self._detect_in_views(picture, views)
        return [self._correction.apply(face) for face in faces]

    def detect_raw(self, image_bgr: ImageArray, views: Sequence[View] | None = None) -> list[RawFace]:
        """Return the faces as BlazeFace reports them, best score first, in a picture with square pixels.

        ``views`` are by default the whole picture at 128 pixels only, for which the result is the same as
        MediaPipe's. Raises ``ValueError`` for an array of another type or shape.
        """
        check_picture(image_bgr)
        picture = Raster(image_bgr)
        return self._detect_in_views(picture, [whole_picture(picture.square_hw)] if views is None else views)

    def _detect_in_views(self, picture: Raster, views: Sequence[View]) -> list[RawFace]:
        return best_of_views(self._detect_all(picture, views, self._min_score))

    def _detect_still(self, picture: Raster) -> list[RawFace]:
        """Return the faces in all passes; turned ones in the finer passes only where no upright is clear."""
        image_hw = picture.square_hw
        views = [with_border(image_hw), *passes(image_hw)]
        upright = best_of_views(self._detect_all(picture, views, self._still_min_score))
        levels = TURNED_LEVELS[0] if has_confident(upright, CONFIDENT) else TURNED_LEVELS[1]
        turned = [view for quarters in (1, 2, 3) for view in passes(image_hw, quarters)[:levels]]
        least = max(self._still_min_score, TURNED_MIN_SCORE)
        return best_of_views([*upright, *self._detect_all(picture, turned, least)])

    def _detect_all(self, picture: Raster, views: Sequence[View], min_score: float) -> list[RawFace]:
        return [face for view in views for face in self._detect_in(picture, view, min_score)]

    def _detect_in(self, picture: Raster, view: View, min_score: float) -> list[RawFace]:
        """Run the network on ``view`` and return its faces, in square pixels."""
        raw, logits = self._session.run(_network_input(picture, view)[None])
        keep = np.flatnonzero(logits >= math.log(min_score / (1.0 - min_score)))
        if not len(keep):
            return []
        points = decode(raw[keep], make_anchors(view.size)[keep])
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[keep].astype(np.float64), -_LOGIT_LIMIT, _LOGIT_LIMIT)))
        has_area = (points[:, 1] > points[:, 0]).all(axis=1) & (np.ptp(points[:, 2:], axis=1) > 0).any(axis=1)
        real = has_area & np.isfinite(points).all(axis=(1, 2))
        real &= ~_is_cut(points[:, :2], view, picture.square_hw)
        return [
            RawFace(FaceBox.around(face[:2], score), face[2:])
            for face, score in weighted_nms(view.to_frame(points[real]), scores[real])
        ]

    def _check_contract(self) -> None:
        for size in ((COARSEST, COARSEST), (48, 32)):
            blank = np.zeros((1, size[1], size[0], 3), np.uint8)
            shapes = [output.shape for output in self._session.run(blank)]
            count = len(make_anchors(size))
            expected = [(count, 2 * (2 + N_KEYPOINTS)), (count,)]
            if shapes != expected:
                raise WeightsError(f"a BlazeFace model gives outputs {expected}, this one {shapes}")


def _network_input(picture: Raster, view: View) -> ImageArray:
    """Return ``view`` of the picture as RGB, sampled bilinearly, black outside.

    The result is that of MediaPipe's OpenCV converter, whose perspective map takes three times as long.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(picture.image, view.matrix(picture.stretch), view.size, flags=flags)
    return cv2.cvtColor(seen, cv2.COLOR_BGR2RGB)  # type: ignore[return-value]


def _is_cut(boxes: FloatArray, view: View, image_hw: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    """Return a mask ``(N,)`` of the ``boxes`` that cross the border of ``view`` inside the picture.

    ``boxes`` are ``(N, 2, 2)``, corners in pixels of the view. Such a face is seen in part; a neighbouring
    view shows it whole. Turned views always show the whole picture.
    """
    if view.quarters:
        return np.zeros(len(boxes), bool)
    low, high = view.to_frame(np.array([[0.0, 0.0], view.size]))
    height, width = image_hw
    inner_low, inner_high = low > _SAME_EDGE, high < np.array([width, height]) - _SAME_EDGE
    crosses = inner_low & (boxes[:, 0] < 0) | inner_high & (boxes[:, 1] > np.array(view.size))
    return np.asarray(crosses.any(axis=1))
