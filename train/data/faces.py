"""A face with labelled points, and the checks that all readers make against its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import numpy as np
import numpy.typing as npt

from tracker.scheme.value import LEAST_POINTS
from tracker.sources.suffixes import IMAGE_SUFFIXES as TRACKED_SUFFIXES
from tracker.types import FloatArray
from train.data.image_size import image_size
from train.data.text import MAX_PIXEL, shorten
from train.errors import DataError

UNREADABLE_SUFFIXES = frozenset({".heic", ".heif", ".hif", ".tga"})
"""Suffixes of images that the tracker reads, and the readers of training data do not."""

IMAGE_SUFFIXES = tuple(sorted(TRACKED_SUFFIXES - UNREADABLE_SUFFIXES))
"""Suffixes of images beside labels, in lower case; upper case is accepted as well."""

_FAR = 0.5
"""Distance from the others, in their extent, from which a point of two negative coordinates is a mark."""

_MARGIN = 0.5
"""Largest distance of a point from its image, in longer sides of the image.

Cut-off faces are labelled beyond the edge, in WFLW by up to a sixth; half an image means a label of another
image or for another size.
"""


GUESSED, COVERED, VISIBLE = 0, 1, 2
"""Visibility of a point, numbered as in COCO: not labelled, labelled but perhaps covered, labelled and seen.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014.
"""


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One labelled face or other object: image file, ``(P, 2)`` points in image pixels, and data set.

    ``person`` identifies people within the data set, so that it can be split by person; empty where the data
    set does not tell. ``visibility`` ``(P,)`` tells for each point whether it is guessed, covered or
    visible; None if all are visible.
    """

    image: Path
    points: FloatArray
    subset: str
    person: str = ""
    visibility: npt.NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        count = len(self.points)
        if self.points.shape != (count, 2) or count < LEAST_POINTS or not np.isfinite(self.points).all():
            raise DataError(
                f"{self.image}: expected {LEAST_POINTS} finite points or more, got {self.points.shape}"
            )
        if np.abs(self.points).max() > MAX_PIXEL:
            raise DataError(f"{self.image}: points beyond {MAX_PIXEL:.0f} pixels")
        if np.ptp(self.points, axis=0).min() <= 0:
            raise DataError(f"{self.image}: the points span no area")
        seen = self.visibility
        if seen is not None and not (seen.shape == (count,) and np.isin(seen, (0, 1, 2)).all()):
            raise DataError(f"{self.image}: expected {count} visibilities 0, 1 or 2")


def hidden(points: FloatArray) -> npt.NDArray[np.bool_]:
    """Return which of ``points`` ``(N, 2)``, as a file counts them, are marks of hidden points, not places.

    Several data sets write -1 -1; others negate both coordinates. The latter also happens where a face is cut
    off at the picture's corner, so that counts only far from the other points. A single negative coordinate
    is a place: WFLW labels faces that are cut off to some pixels beyond the edge.
    """
    negative = (points < 0).all(axis=1)
    marks = (points == -1).all(axis=1)
    if negative.all():
        return np.asarray(marks)
    others = points[~negative]
    apart = np.maximum(others.min(axis=0) - points, points - others.max(axis=0)).max(axis=1)
    return np.asarray(marks | (negative & (apart > _FAR * np.ptp(others, axis=0).max())))


def refuse_hidden(points: FloatArray, places: Sequence[str]) -> None:
    """Raise :class:`DataError` with its place if one of ``points`` ``(N, 2)`` is :func:`hidden`.

    All readers do this with the numbers of their file. Trained on, a mark would draw the point into the
    corner of the picture.
    """
    for index in np.flatnonzero(hidden(points))[:1]:
        x, y = points[index]
        raise DataError(
            f"{places[index]}: point {index} at ({x:.6g}, {y:.6g}) is marked as hidden, which is no place; "
            "label the point or leave the face out"
        )


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
