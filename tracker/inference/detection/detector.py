"""Face detectors: a picture in, boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from tracker.geometry import CROP_SIZE, CropTransform
from tracker.inference.detection.views import whole_picture
from tracker.types import FaceBox, ImageArray


class FaceDetector(Protocol):
    """Finds faces; each adapter reports the same box, whatever its network was trained on."""

    def views(self, image_hw: tuple[int, int]) -> Sequence[CropTransform]:
        """What it can look at in a picture ``image_hw`` high and wide: the whole, then close-ups, if any."""
        ...

    def detect(self, image_bgr: ImageArray, views: Sequence[CropTransform] | None = None) -> list[FaceBox]:
        """Faces in ``image_bgr`` ``(H, W, 3)`` uint8, best score first.

        Looks at ``views``, some of those that :meth:`views` gives; at all of them if None, which is right
        for a still image. In a video :class:`tracker.tracking.search.Search` chooses, so that small faces
        are found
        too and no frame pays for all.

        Each box is the adapter's estimate of the tight box around the 68 landmarks, measured with
        the head upright: ``roll_rad`` says how far the head is turned about the box's centre.
        """
        ...


class FakeDetector:
    """Reports the boxes it was given, every time, and keeps the views it was asked to look at."""

    def __init__(self, *boxes: FaceBox, close_ups: Sequence[CropTransform] = ()) -> None:
        self.boxes = list(boxes)
        self.close_ups = close_ups
        self.looks: list[Sequence[CropTransform] | None] = []

    def views(self, image_hw: tuple[int, int]) -> Sequence[CropTransform]:
        return [whole_picture(image_hw, CROP_SIZE), *self.close_ups]

    def detect(self, image_bgr: ImageArray, views: Sequence[CropTransform] | None = None) -> list[FaceBox]:  # noqa: ARG002
        self.looks.append(views)
        return list(self.boxes)
