"""Crops around faces, and the landmarks that the model finds in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.geometry import CropTransform
from tracker.inference.landmarker import Landmarker
from tracker.tracking.stage_times import StageClock
from tracker.types import ImageArray, Landmarks

MAX_BATCH = 8
"""Crops in a batch over several pictures: GPUs hardly gain beyond, and each batch size is prepared once."""

_MAX_SHIFT, _MAX_SCALE = 0.1, 1.25
"""Largest distance of a face from the middle of its crop, in crop sides, and largest ratio of sizes."""

CropOfImage = tuple[ImageArray, CropTransform]
"""A picture ``(H, W, 3)`` BGR uint8 and the crop to cut from it."""


class CropLocator:
    """Runs the landmark model on crops and maps its points back to frame pixels.

    ``clock`` gets the time of cutting (``crop``), of the model (``infer``) and of mapping back (``points``).
    """

    def __init__(self, landmarker: Landmarker, clock: StageClock) -> None:
        self._landmarker = landmarker
        self._clock = clock

    def locate(self, crops: Sequence[CropOfImage]) -> list[Landmarks]:
        """Return the landmarks in each of ``crops``, which go through the model in one batch."""
        if not crops:
            return []
        with self._clock.stage("crop"):
            batch = np.stack([crop.cut(image) for image, crop in crops])
        with self._clock.stage("infer"):
            located = self._landmarker.locate(batch)
        quality = [None] * len(crops) if located.quality is None else located.quality
        with self._clock.stage("points"):
            return [
                Landmarks(crop.to_frame(points), float(presence), good)
                for (_, crop), points, presence, good in zip(
                    crops, located.points_crop, located.presence, quality, strict=True
                )
            ]

    def locate_in_parts(self, crops: Sequence[CropOfImage]) -> list[Landmarks]:
        """Return the same as :meth:`locate`, in batches of at most :data:`MAX_BATCH` crops."""
        parts = (crops[i : i + MAX_BATCH] for i in range(0, len(crops), MAX_BATCH))
        return [face for part in parts for face in self.locate(part)]

    def locate_centred(
        self, image: ImageArray, crops: Sequence[CropTransform]
    ) -> list[tuple[Landmarks, CropTransform]]:
        """Return the landmarks in each of ``crops`` of ``image``, with the upright crop around them.

        A face that is off the middle of its crop, or of another size, is located again in the crop around it.
        """
        faces = self.locate([(image, crop) for crop in crops])
        found = [(face, crop_around(face, crop)) for face, crop in zip(faces, crops, strict=True)]
        again = [i for i, crop in enumerate(crops) if is_off_centre(found[i][1], crop)]
        better = [found[i][1] for i in again]
        faces = self.locate([(image, crop) for crop in better])
        for i, face, crop in zip(again, faces, better, strict=True):
            found[i] = face, crop_around(face, crop)
        return found


def crop_around(face: Landmarks, located_in: CropTransform) -> CropTransform:
    """Return the upright crop around ``face``, or ``located_in`` if its points all coincide."""
    try:
        return CropTransform.from_points(face.points_frame)
    except ValueError:
        return located_in


def is_off_centre(around_face: CropTransform, located_in: CropTransform) -> bool:
    """Return whether a face's own crop differs too much from the crop that it was located in.

    Models are trained on faces in the middle of the crop; elsewhere points are less exact.
    """
    shift = math.dist(around_face.center, located_in.center) / located_in.side
    return shift > _MAX_SHIFT or not 1 / _MAX_SCALE < around_face.side / located_in.side < _MAX_SCALE
