"""Pictures without a face, as examples of what presence must refuse."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tracker.geometry import CropTransform
from tracker.scheme.fields import number
from train.data.faces import check_once, image_below
from train.data.sides import Side, half_side
from train.data.tables import file_name, read_table
from train.data.text import numbered_lines
from train.errors import DataError

NOFACE = "noface"

_SMALLEST_SHARE, _SMALLEST_PX = 1 / 6, 8.0
"""Side of the smallest crop that is placed at random, in shorter sides of the picture and in pixels."""


@dataclass(frozen=True)
class FacelessPicture:
    """A picture without a human face: image file, kind (``cat``, ``hand``, ``texture`` ...), and data set.

    ``mined`` are crops that a tracker took for a face, or nearly.
    """

    image: Path
    kind: str
    subset: str = NOFACE
    mined: tuple[CropTransform, ...] = ()


def read_faceless(folder: Path) -> list[FacelessPicture]:
    """Read ``files.csv`` of the folder ``noface``, with columns ``file`` and ``kind``.

    Raises :class:`~train.errors.DataError` with file and line for anything that deviates from this layout.
    """
    seen: dict[object, str] = {}
    pictures = []
    for row in read_table(folder / "files.csv", ["file", "kind"]):
        where, cells = row
        name = file_name(row, "")
        check_once(where, name, seen)
        pictures.append(FacelessPicture(image_below(where, folder, name), cells["kind"]))
    return pictures


def with_mined(pictures: Iterable[FacelessPicture], data: Path, table: Path) -> list[FacelessPicture]:
    """Return ``pictures`` below ``data`` with the crops that ``table`` has for them.

    ``table`` holds JSON lines with ``image``, relative to ``data``, and ``crop``: x, y and side in pixels and
    the angle in radians. Raises :class:`~train.errors.DataError` with file and line for anything else.
    """
    mined: dict[Path, list[CropTransform]] = {}
    for place, line in numbered_lines(table):
        try:
            record = json.loads(line)
            x, y, side, angle = (number(value) for value in record["crop"])
            mined.setdefault(data / record["image"], []).append(CropTransform((x, y), side, angle))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise DataError(f"{table}:{place}: not a line with a crop: {error}") from error
    return [replace(one, mined=tuple(mined.get(one.image, ()))) for one in pictures]


def faceless_side(picture: FacelessPicture) -> Side:
    """Return the side of ``picture``: half of each kind are held out."""
    return half_side(f"{picture.subset}/{picture.image.name}")


def place_crop(image_hw: tuple[int, int], size: int, rng: np.random.Generator) -> CropTransform:
    """Draw a crop of ``size`` pixels from a picture: the middle as a detector would see a head, or anywhere.

    Half of the crops hold most of the picture, since an animal's face fills it; the others have sides from a
    sixth of the shorter side on. All are turned at random, half of them by little.
    """
    height, width = image_hw
    short = min(image_hw)
    angle = float(rng.normal(0, 0.2) if rng.random() < 0.5 else rng.uniform(-np.pi, np.pi))
    if rng.random() < 0.5:
        x, y = (rng.normal((end - 1) / 2, 0.12 * short) for end in (width, height))
        return CropTransform((float(x), float(y)), float(short * rng.uniform(0.5, 1.2)), angle, size)
    side = float(short * np.exp(rng.uniform(np.log(_SMALLEST_SHARE), 0)))
    x, y = (rng.uniform(0, end - 1) for end in (width, height))
    return CropTransform((float(x), float(y)), max(side, _SMALLEST_PX), angle, size)


def smallest_side(picture: FacelessPicture, image_hw: tuple[int, int], zoom: float) -> float:
    """Return the smallest side in pixels of a crop that :func:`place_crop` draws, or of a mined one.

    The latter may be perturbed: ``zoom`` times closer.
    """
    placed = max(_SMALLEST_SHARE * min(image_hw), _SMALLEST_PX)
    return min([placed, *(crop.side / zoom for crop in picture.mined)])
