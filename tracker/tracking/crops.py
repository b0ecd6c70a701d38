"""Which crop suits a face that was seen in another: where tracking and searching meet the geometry."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tracker.geometry import CropTransform
from tracker.tracking.together import Search
from tracker.types import FaceBox, ImageArray, Landmarks

_OFF_CENTRE, _OFF_SCALE = 0.1, 1.25
"""From where on a crop is cut anew: its face's middle so many crop sides off, its size off by this factor."""

Cut = tuple[ImageArray, CropTransform]
"""A picture and the crop to cut from it."""

NewFaces = Search[Cut, Landmarks, list[Landmarks]]
"""Asks for landmarks in crops, and returns those that it was after."""


def locate_twice(image: ImageArray, boxes: Sequence[FaceBox]) -> NewFaces:
    """Landmarks in detected ``boxes``: a first answer places the crop for the second."""
    crops = [CropTransform.from_box(box) for box in boxes]
    first = yield [(image, crop) for crop in crops]
    return (yield [(image, crop_around(face, crop)) for face, crop in zip(first, crops, strict=True)])


def crop_around(face: Landmarks, seen_in: CropTransform) -> CropTransform:
    """The crop that suits ``face``; the one that it was seen in if its points all coincide, as on a blank."""
    try:
        return CropTransform.from_points(face.points_frame)
    except ValueError:
        return seen_in


def is_off(face: CropTransform, crop: CropTransform) -> bool:
    """Whether ``face``, the crop that suits it, differs too much from the ``crop`` that it was seen in: those
    that models are trained on sit better, and points are less exact."""
    away = math.dist(face.center, crop.center) / crop.side
    return away > _OFF_CENTRE or not 1 / _OFF_SCALE < face.side / crop.side < _OFF_SCALE
