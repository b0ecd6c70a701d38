"""A face with 68 labelled points, and the checks that all readers make against its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np

from tracker.types import N_POINTS, FloatArray
from train.data.image_size import image_size
from train.data.text import MAX_PIXEL, shorten
from train.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".png", ".jpeg", ".bmp")
"""Suffixes of images beside labels, in lower case; upper case is accepted as well."""

_MARGIN = 0.5
"""Largest distance of a point from its image, in longer sides of the image.

Cut-off faces are labelled beyond the edge, in WFLW by up to a sixth; half an image means a label of another
image or for another size.
"""


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One labelled face: image file, ``(68, 2)`` points in image pixels, and data set.

    ``person`` identifies people within the data set, so that it can be split by person; empty where the data
    set does not tell.
    """

    image: Path
    points: FloatArray
    subset: str
    person: str = ""

    def __post_init__(self) -> None:
        if self.points.shape != (N_POINTS, 2) or not np.isfinite(self.points).all():
            raise DataError(f"{self.image}: expected {N_POINTS} finite points, got {self.points.shape}")
        if np.abs(self.points).max() > MAX_PIXEL:
            raise DataError(f"{self.image}: points beyond {MAX_PIXEL:.0f} pixels")
        if np.ptp(self.points, axis=0).min() <= 0:
            raise DataError(f"{self.image}: the points span no area")


def check_points(points: FloatArray, image: Path, places: Sequence[str]) -> None:
    """Check that ``points`` ``(N, 2)``, in pixels of ``image``, lie in or near it and span an area.

    ``places`` gives the origin of each point, as ``file:line``. Reads the image's header only.

    Raises :class:`DataError` if the image is missing or broken, with the place of the first point that lies
    outside by more than half the image's longer side, or with the first place if there is no area.
    """
    width, height = image_size(image)
    margin = _MARGIN * max(width, height)
    inside = (points >= -margin) & (points <= np.array([width, height]) - 1 + margin)
    for index in np.flatnonzero(~inside.all(axis=1))[:1]:
        x, y = points[index]
        raise DataError(
            f"{places[index]}: point {index} at ({x:.6g}, {y:.6g}) lies far outside the image {image} of "
            f"{width}x{height} pixels; is this another image's label, or one for another size?"
        )
    if np.ptp(points, axis=0).min() <= 0:
        raise DataError(f"{places[0]}: the points from here on span no area")


def image_at(where: str, image: Path) -> Path:
    """Return ``image`` if the file exists.

    Raises :class:`DataError`, beginning with ``where``, if it does not.
    """
    try:
        found = image.is_file()
    except OSError:  # for example a name longer than the file system allows
        found = False
    if not found:
        raise DataError(f"{where}: the image {str(image)!r} is missing")
    return image


def image_below(where: str, folder: Path, name: str) -> Path:
    """Return the path of the image ``name`` in ``folder`` or below it.

    Raises :class:`DataError`, beginning with ``where``, if the name points elsewhere or the file does not
    exist.
    """
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"{where}: the image {shorten(name)} does not lie in {folder}")
    return image_at(where, folder / name)


def check_once(where: str, key: object, seen: dict[object, str]) -> None:
    """Record in ``seen`` that ``key`` occurs at ``where``.

    Raises :class:`DataError` if it occurred before.
    """
    if key in seen:
        raise DataError(f"{where}: the same face as at {seen[key]}; remove one of them")
    seen[key] = where
