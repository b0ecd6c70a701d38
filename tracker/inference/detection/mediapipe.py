"""Face detector of the mediapipe library (Tasks API, mediapipe >= 0.10.30): the extra ``mediapipe``.

It runs the same network as :mod:`tracker.inference.detection.blazeface`, from the shipped ``.tflite`` file.

Coverage: its tests run in an environment of their own, because mediapipe brings another OpenCV.
"""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np

from tracker.distribution import install_command
from tracker.errors import BackendError
from tracker.geometry import Raster
from tracker.inference.detection.box_correction import BoxCorrection, RawFace
from tracker.inference.detection.detector import check_picture
from tracker.inference.detection.views import View, whole_picture
from tracker.system.closing import Closing
from tracker.system.stdout import stderr_silenced
from tracker.types import FaceBox, Frame, ImageArray

NOTICES = (
    "note: the mediapipe library reports usage statistics to its maker (Google) over the network; "
    "the default detector sends nothing",
    "note: the mediapipe detector looks at the whole picture only: it finds no faces below about a sixth of "
    "its longer side, and none that lie on their side; the default detector does",
)
"""Messages of the command line before it opens this detector."""


class MediaPipeDetector(Closing):
    """The ``.tflite`` file ``model`` on MediaPipe's runtime, as a face detector; to be closed.

    Raises :class:`BackendError` if mediapipe is not installed or does not accept the file, and
    ``ValueError`` unless ``0 < min_score < 1``.
    """

    def __init__(self, model: Path, correction: BoxCorrection, min_score: float = 0.5) -> None:
        if not 0.0 < min_score < 1.0:
            raise ValueError(f"min_score must lie between 0 and 1, got {min_score}")
        if importlib.util.find_spec("mediapipe") is None:
            raise BackendError(f"detector mediapipe is not installed: {install_command('mediapipe')}")
        import mediapipe
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceDetectorOptions(
            base_options=BaseOptions(model_asset_path=str(model)), min_detection_confidence=min_score
        )
        self._mediapipe = mediapipe
        self._correction = correction
        self._lock = threading.Lock()  # a detector takes one picture at a time
        with stderr_silenced():  # its libraries log on opening, at the first picture and on closing
            try:
                self._detector = vision.FaceDetector.create_from_options(options)
            except (OSError, ValueError, RuntimeError) as error:
                raise BackendError(f"mediapipe does not open {model}: {error}") from error
            self.detect_raw(np.zeros((128, 128, 3), np.uint8))

    def close(self) -> None:
        """End MediaPipe's threads; at the exit of the interpreter they would print a traceback."""
        with stderr_silenced():
            self._detector.close()

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture of ``image_hw`` = (height, width); there are no close-ups."""
        return [whole_picture(image_hw)]

    def detect(
        self,
        frame: Frame,
        views: Sequence[View] | None = None,  # noqa: ARG002
    ) -> list[FaceBox]:
        """Return the tight boxes of iBUG's points in ``frame``, in square pixels, best score first.

        MediaPipe knows no other pixels: where those of ``frame`` are not square, it gets a stretched copy.
        """
        image_bgr = frame.image_bgr
        height, width = Raster.of(frame).square_hw
        if (height, width) != frame.image_hw:
            image_bgr = cast(ImageArray, cv2.resize(image_bgr, (width, height)))
        return [self._correction.apply(face) for face in self.detect_raw(image_bgr)]

    def detect_raw(self, image_bgr: ImageArray) -> list[RawFace]:
        """Return the faces as MediaPipe reports them, best score first.

        MediaPipe rounds its boxes to whole pixels and clips them to the picture; the key points, which the
        correction uses, are exact. Raises ``ValueError`` for an array of another type or shape.
        """
        check_picture(image_bgr)
        rgb = cv2.cvtColor(image_bgr, cv2.COLOR_BGR2RGB)
        picture = self._mediapipe.Image(image_format=self._mediapipe.ImageFormat.SRGB, data=rgb)
        with self._lock:
            detections = self._detector.detect(picture).detections
        height, width = image_bgr.shape[:2]
        faces = [_raw_face(detection, width, height) for detection in detections if _has_area(detection)]
        return sorted(faces, key=lambda face: -face.box.score)


def _has_area(detection: Any) -> bool:
    """Return whether the box has an area: in a picture of a few pixels it may be rounded to nothing."""
    return bool(detection.bounding_box.width > 0 and detection.bounding_box.height > 0)


def _raw_face(detection: Any, width: int, height: int) -> RawFace:
    box = detection.bounding_box
    x0, y0 = float(box.origin_x), float(box.origin_y)
    score = min(float(detection.categories[0].score), 1.0)
    keypoints = np.array([(point.x * width, point.y * height) for point in detection.keypoints])
    return RawFace(FaceBox(x0, y0, x0 + box.width, y0 + box.height, score), keypoints)
