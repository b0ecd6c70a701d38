"""A face with its 68 labelled points, and the checks that every reader makes against its image."""

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
"""Suffixes of images beside labels, in lower case; files may have them in upper case."""

_MARGIN = 0.5
"""How far outside its image a point may lie, in longer sides of the image. Cut-off faces are labelled
beyond the edge (WFLW by up to a sixth); half an image tells another image's or scale's label."""


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One face: where its image lies, its ``(68, 2)`` points in image pixels, and its data set.

    ``person`` tells people apart within the data set, so that it can be split by person; empty where
    the data set does not say.
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
    """Check that ``(N, 2)`` ``points``, in pixels of ``image``, lie in or near it and span an area.

    ``places`` names where each point was read, as ``file:line``. Reads the image's header only.

    Raises :class:`DataError` if the image is missing or broken, with the place of the first point that
    lies outside by more than half the image's longer side, or with the first place if there is no area.
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
    """``image`` if there is such a file. Raises :class:`DataError` that begins with ``where`` otherwise."""
    try:
        found = image.is_file()
    except OSError:  # such as a name longer than the file system takes
        found = False
    if not found:
        raise DataError(f"{where}: the image {str(image)!r} is missing")
    return image


def image_below(where: str, folder: Path, name: str) -> Path:
    """The image ``name`` that a label file places in ``folder`` or below, and nowhere else.

    Raises :class:`DataError` that begins with ``where`` if it points elsewhere or there is no such file.
    """
    path = PurePath(name)
    if path.is_absolute() or ".." in path.parts:
        raise DataError(f"{where}: the image {shorten(name)} does not lie in {folder}")
    return image_at(where, folder / name)


def check_once(where: str, key: object, seen: dict[object, str]) -> None:
    """Note in ``seen`` that ``key`` was met at ``where``. Raises :class:`DataError` if it was before."""
    if key in seen:
        raise DataError(f"{where}: the same face as at {seen[key]}; remove one of them")
    seen[key] = where
