"""No detector: the whole picture is the box of its only face, as in pictures that are crops of faces."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.geometry import Stretch
from tracker.inference.detection.detector import check_picture
from tracker.inference.detection.views import View, whole_picture
from tracker.types import FaceBox, ImageArray


class WholePicture:
    """Detector that reports the whole picture, with score 1, whatever it shows."""

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture of ``image_hw`` = (height, width) square pixels."""
        return [whole_picture(image_hw)]

    def detect(
        self,
        image_bgr: ImageArray,
        views: Sequence[View] | None = None,  # noqa: ARG002 - the picture is not looked at
        pixel_aspect: float = 1.0,
    ) -> list[FaceBox]:
        """Return the box around all pixels of ``image_bgr`` ``(H, W, 3)`` uint8, in square pixels.

        Raises ``ValueError`` for an array of another type or shape.
        """
        check_picture(image_bgr)
        height, width = Stretch.of(pixel_aspect).square_hw((image_bgr.shape[0], image_bgr.shape[1]))
        return [FaceBox(-0.5, -0.5, width - 0.5, height - 0.5)]
