"""Sightings: faces located in a frame, before it is known whose they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tracker.geometry import CropTransform, Raster
from tracker.tracking.appearance import LOOK_SIZE, Look
from tracker.types import FaceBox, ImageArray, Landmarks


class LocatedFace(NamedTuple):
    """The landmarks that were located in ``crop``, whose pixels ``(224, 224)`` are ``pixels``."""

    landmarks: Landmarks
    crop: CropTransform
    pixels: ImageArray


class Sighting(NamedTuple):
    """A located face: its landmarks, the upright crop around them, and its look; in square pixels.

    ``look`` is None where the points all coincide.
    """

    landmarks: Landmarks
    crop: CropTransform
    look: Look | None = None

    @classmethod
    def in_frame(cls, face: Landmarks, picture: Raster) -> Sighting:
        """Look at ``face`` in the whole ``picture``; its points must not all coincide."""
        crop = CropTransform.from_points(face.points_frame)
        return cls(face, crop, Look.at(picture, face.points_frame))

    @property
    def box(self) -> FaceBox:
        """Tight box around the points."""
        return self.landmarks.box


def look_in_crops(faces: Sequence[LocatedFace], upright: Sequence[CropTransform | None]) -> list[Sighting]:
    """Look at each of ``faces`` in the pixels that it was located in.

    ``upright`` are the crops around them, None where the points all coincide.
    """
    pairs = list(zip(faces, upright, strict=True))
    known = [(face, crop) for face, crop in pairs if crop is not None]
    crops = [(face.pixels, crop.within(face.crop, LOOK_SIZE)) for face, crop in known]
    looks = iter(Look.through(crops, [crop.to_unit(face.landmarks.points_frame) for face, crop in known]))
    return [
        Sighting(face.landmarks, face.crop) if crop is None else Sighting(face.landmarks, crop, next(looks))
        for face, crop in pairs
    ]
