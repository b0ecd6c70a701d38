"""Crops around faces, and the landmarks that the model finds in them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.geometry import CROP_SIZE, CropTransform, Raster
from tracker.inference.landmarker import Landmarker
from tracker.tracking.sighting import LocatedFace, Sighting, look_in_crops
from tracker.tracking.stage_times import StageClock
from tracker.types import Landmarks

MAX_BATCH = 8
"""Crops in a batch over several pictures: GPUs hardly gain beyond, and each batch size is prepared once."""

_MAX_SHIFT, _MAX_SCALE = 0.1, 1.25
"""Largest distance of a face from the middle of its crop, in crop sides, and largest ratio of sizes."""

CropOfImage = tuple[Raster, CropTransform]
"""A picture ``(H, W, 3)`` BGR uint8 and the crop to cut from it, in square pixels."""


class CropLocator:
    """Runs the landmark model on crops and maps its points back to the frame's square pixels.

    ``clock`` gets the time of cutting (``crop``), of the model (``infer``) and of mapping back (``points``).
    """

    def __init__(self, landmarker: Landmarker, clock: StageClock) -> None:
        self._landmarker = landmarker
        self._clock = clock

    def locate(self, crops: Sequence[CropOfImage]) -> list[Landmarks]:
        """Return the landmarks in each of ``crops``, which go through the model in one batch."""
        return [face.landmarks for face in self._locate(crops)]

    def locate_in_parts(self, crops: Sequence[CropOfImage]) -> list[Landmarks]:
        """Return the same as :meth:`locate`, in batches of at most :data:`MAX_BATCH` crops."""
        parts = (crops[i : i + MAX_BATCH] for i in range(0, len(crops), MAX_BATCH))
        return [face for part in parts for face in self.locate(part)]

    def locate_centred(self, picture: Raster, crops: Sequence[CropTransform]) -> list[Sighting]:
        """Return the face in each of ``crops`` of ``picture``.

        A face that is off the middle of its crop, or of another size, is located again in the crop around it.
        """
        faces, around = self._locate_upright([(picture, crop) for crop in crops])
        again = [i for i, crop in enumerate(around) if crop and is_off_centre(crop, crops[i])]
        better = self._locate_upright([(picture, crop) for i in again if (crop := around[i])])
        for i, face, crop in zip(again, *better, strict=True):
            faces[i], around[i] = face, crop
        if not faces:
            return []
        with self._clock.stage("points"):
            return look_in_crops(faces, around)

    def _locate_upright(
        self, crops: Sequence[CropOfImage]
    ) -> tuple[list[LocatedFace], list[CropTransform | None]]:
        """Return the faces in ``crops``, and the upright crop around each, None if its points coincide."""
        faces = self._locate(crops)
        return faces, [_upright_crop(face.landmarks) for face in faces]

    def _locate(self, crops: Sequence[CropOfImage]) -> list[LocatedFace]:
        """Return the face in each of ``crops``."""
        if not crops:
            return []
        with self._clock.stage("crop"):
            batch = np.empty((len(crops), CROP_SIZE, CROP_SIZE), np.uint8)
            for pixels, (picture, crop) in zip(batch, crops, strict=True):
                crop.cut(picture.image, pixels, picture.stretch)
        with self._clock.stage("infer"):
            points_crop, presence, quality = self._landmarker.locate(batch)
        good = [None] * len(crops) if quality is None else quality
        scheme = self._landmarker.scheme
        with self._clock.stage("points"):
            return [
                LocatedFace(Landmarks(crop.to_frame(points), present, judged, scheme), crop, pixels)
                for (_, crop), pixels, points, present, judged in zip(
                    crops, batch, points_crop, presence.tolist(), good, strict=True
                )
            ]


def crop_around(face: Landmarks, located_in: CropTransform) -> CropTransform:
    """Return the upright crop around ``face``, or ``located_in`` if its points all coincide."""
    return _upright_crop(face) or located_in


def _upright_crop(face: Landmarks) -> CropTransform | None:
    try:
        return CropTransform.from_points(face.points_frame, face.scheme)
    except ValueError:  # the points all coincide
        return None


def is_off_centre(around_face: CropTransform, located_in: CropTransform) -> bool:
    """Return whether a face's own crop differs too much from the crop that it was located in.

    Models are trained on faces in the middle of the crop; elsewhere points are less exact.
    """
    shift = math.dist(around_face.center, located_in.center) / located_in.side
    return shift > _MAX_SHIFT or not 1 / _MAX_SCALE < around_face.side / located_in.side < _MAX_SCALE
