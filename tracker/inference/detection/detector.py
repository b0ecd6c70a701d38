"""Protocol of face detectors, and a fake detector for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from tracker.inference.detection.views import View, whole_picture
from tracker.types import FaceBox, Frame, ImageArray


class FaceDetector(Protocol):
    """Finds faces and reports the same kind of box for each network: tight around iBUG's points."""

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the parts of a picture of ``image_hw`` = (height, width) square pixels to search.

        The first is the whole picture, the others are close-ups, if the detector has any.
        """
        ...

    def detect(self, frame: Frame, views: Sequence[View] | None = None) -> list[FaceBox]:
        """Return the faces in the picture of ``frame``, best score first, in square pixels.

        Where ``frame.pixel_aspect`` is not 1, :class:`tracker.geometry.Stretch` leads from boxes to the
        pixels that are stored.

        Searches ``views``, some of those that :meth:`views` returns. None is for a still image: all of the
        picture is searched at all sizes, and for faces that are turned or upside down; two boxes of one face
        may contradict each other about which way up it is. In a video
        :class:`tracker.tracking.search.Search` chooses, so that small faces are found without searching
        everywhere in each frame.

        Each box is an estimate of the tight box around iBUG's points, measured with the head upright:
        ``roll_rad`` tells how far the head is turned about the centre of the box.
        """
        ...


def check_picture(image_bgr: ImageArray) -> None:
    """Raise ``ValueError`` unless ``image_bgr`` is a non-empty uint8 ``(H, W, 3)`` array."""
    if image_bgr.dtype != np.uint8 or image_bgr.ndim != 3 or image_bgr.shape[2] != 3 or not image_bgr.size:
        raise ValueError(f"expected a uint8 (H, W, 3) picture, got {image_bgr.dtype} {image_bgr.shape}")


class FakeDetector:
    """Detector that always reports the given ``boxes``, and keeps the views of each call in ``looks``."""

    def __init__(self, *boxes: FaceBox, close_ups: Sequence[View] = ()) -> None:
        self.boxes = list(boxes)
        self.close_ups = close_ups
        self.looks: list[Sequence[View] | None] = []

    def views(self, image_hw: tuple[int, int]) -> Sequence[View]:
        """Return the whole picture, then ``close_ups``."""
        return [whole_picture(image_hw), *self.close_ups]

    def detect(
        self,
        frame: Frame,  # noqa: ARG002
        views: Sequence[View] | None = None,
    ) -> list[FaceBox]:
        """Return ``boxes``, and add ``views`` to ``looks``."""
        self.looks.append(views)
        return list(self.boxes)
