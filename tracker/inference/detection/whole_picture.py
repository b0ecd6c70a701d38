"""No detector: the whole picture is the box of its only face, as in pictures that are crops of faces."""

from __future__ import annotations

from collections.abc import Sequence

from tracker.geometry import Raster
from tracker.inference.detection.views import View, whole_picture
from tracker.types import FaceBox, Frame


class WholePicture:
    """Detector that reports the whole picture, with score 1, whatever it shows."""

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture of ``image_hw`` = (height, width) square pixels."""
        return [whole_picture(image_hw)]

    def detect(
        self,
        frame: Frame,
        views: Sequence[View] | None = None,  # noqa: ARG002 - the picture is not looked at
    ) -> list[FaceBox]:
        """Return the box around all pixels of ``frame``, in square pixels."""
        height, width = Raster.of(frame).square_hw
        return [FaceBox(-0.5, -0.5, width - 0.5, height - 0.5)]
