"""Sightings: faces located in a frame, before it is known whose they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from tracker.geometry import CropTransform, Raster, roll_of
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
        crop = CropTransform.from_points(face.points_frame, face.scheme)
        return cls(face, crop, Look.at(picture, face))

    @property
    def box(self) -> FaceBox:
        """The box of a detector for this face."""
        return detector_box(self.landmarks)


def detector_box(face: Landmarks) -> FaceBox:
    """Return the upright box in which a detector would report ``face``, by the crop rule of its scheme.

    It is the tight box around the points where these span what detectors report, as those of iBUG do. Points
    of the middle of a face span less. Raises ``ValueError`` if the points have no width or no height.
    """
    rule, box = face.scheme.crop, face.box
    if rule.box_per_points == 1 and not any(rule.box_shift):
        return box
    half_w, half_h = rule.box_per_points * box.width / 2, rule.box_per_points * box.height / 2
    roll, longer, (right, down) = (
        roll_of(face.points_frame, face.scheme),
        2 * max(half_w, half_h),
        rule.box_shift,
    )
    x = box.center[0] - longer * (math.cos(roll) * right - math.sin(roll) * down)
    y = box.center[1] - longer * (math.sin(roll) * right + math.cos(roll) * down)
    return FaceBox(x - half_w, y - half_h, x + half_w, y + half_h, box.score)


def look_in_crops(faces: Sequence[LocatedFace], upright: Sequence[CropTransform | None]) -> list[Sighting]:
    """Look at each of ``faces`` in the pixels that it was located in.

    ``upright`` are the crops around them, None where the points all coincide.
    """
    pairs = list(zip(faces, upright, strict=True))
    known = [(face, crop) for face, crop in pairs if crop is not None]
    crops = [(face.pixels, crop.within(face.crop, LOOK_SIZE)) for face, crop in known]
    shapes = [crop.to_unit(face.landmarks.points_frame) for face, crop in known]
    looks = iter(Look.through(crops, shapes, faces[0].landmarks.scheme))
    return [
        Sighting(face.landmarks, face.crop) if crop is None else Sighting(face.landmarks, crop, next(looks))
        for face, crop in pairs
    ]
