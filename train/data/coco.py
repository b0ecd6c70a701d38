"""Reader of COCO keypoints: one JSON file for many pictures.

T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014; https://cocodataset.org/#format-data.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tracker.scheme.value import Scheme
from tracker.types import FloatArray
from train.data.faces import LabelledFace, check_points, image_below, refuse_hidden
from train.data.image_size import image_size
from train.data.text import coordinate, read_text, shorten
from train.errors import DataError

_PER_POINT = 3
"""Numbers of a point: x, y and visibility, 0 for a point that is not labelled."""


def read_coco(path: Path, subset: str, scheme: Scheme) -> tuple[list[LabelledFace], int]:
    """Read the faces of a COCO file, one for each annotation, and the number of those that were left out.

    Image names are relative to the file; coordinates are 0-based pixels. Annotations without keypoints, of
    crowds, and with a point that is not labelled are left out, and those of a category with other keypoints
    if another one has those of ``scheme``. Where file and scheme name the points, they are brought in the
    order of the scheme.

    Raises :class:`DataError` if the file deviates from this layout, if no category has names and number of
    the points of the scheme, for a missing image or one of another size than the file says, and for a point
    that lies far outside its image.
    """
    content = _parse(path)
    images = {entry["id"]: entry for entry in _entries(path, content, "images", ("id", "file_name"))}
    orders = _orders(path, content, scheme)
    faces, left_out = [], 0
    for number, entry in enumerate(_entries(path, content, "annotations", ("image_id",))):
        where = f"{path}: annotation {entry.get('id', number)}"
        values = entry.get("keypoints", [])
        if not values or entry.get("iscrowd"):
            left_out += 1
            continue
        order = _order_for(where, orders, entry.get("category_id"), scheme)
        points = None if order is None else _points(where, values, scheme)
        if order is None or points is None:
            left_out += 1
            continue
        if entry["image_id"] not in images:
            raise DataError(f"{where}: there is no image {entry['image_id']!r} in the file")
        faces.append(_face(where, path.parent, images[entry["image_id"]], points[list(order)], subset))
    if not faces:
        raise DataError(f"{path}: no annotation with all of its {scheme.n_points} points labelled")
    return faces, left_out


def _parse(path: Path) -> Mapping[str, Any]:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected an object with images, annotations and categories, as in COCO")
    return content


def _entries(
    path: Path, content: Mapping[str, Any], name: str, keys: Sequence[str]
) -> list[Mapping[str, Any]]:
    entries = content.get(name, [])
    good = isinstance(entries, list) and all(
        isinstance(entry, dict) and all(isinstance(entry.get(key), int | str) for key in keys)
        for entry in entries
    )
    if not good:
        raise DataError(f"{path}: expected {name}, a list of objects with {' and '.join(keys)}, as in COCO")
    return entries  # type: ignore[no-any-return]


def _orders(path: Path, content: Mapping[str, Any], scheme: Scheme) -> dict[int | str, Sequence[int] | None]:
    """Return the order of each category that has keypoints, None if they are not those of ``scheme``.

    A scheme without names does not tell which of several categories with as many points is its own.
    """
    orders: dict[int | str, Sequence[int] | None] = {}
    refused: list[DataError] = []
    fitting: list[str] = []
    for entry in _entries(path, content, "categories", ("id",)):
        if entry.get("keypoints"):
            try:
                orders[entry["id"]] = _order(path, entry["keypoints"], scheme)
                fitting.append(", ".join(map(str, entry["keypoints"])))
            except DataError as error:
                orders[entry["id"]] = None
                refused.append(error)
    if refused and len(refused) == len(orders):
        raise refused[0]
    if not scheme.names and len(several := sorted(set(fitting))) > 1:
        raise DataError(
            f"{path}: has categories with the points {several[0]} and {several[1]}: "
            "give the scheme the names of one of them"
        )
    return orders


def _order(path: Path, names: object, scheme: Scheme) -> Sequence[int]:
    """Return the places, in an annotation, of the points of ``scheme`` in order of their numbers."""
    if not isinstance(names, list) or len(names) != scheme.n_points:
        raise DataError(f"{path}: the scheme {scheme} has other points than the category's keypoints {names}")
    if not scheme.names:
        return range(scheme.n_points)
    if sorted(map(str, names)) != sorted(scheme.names):
        if unknown := [name for name in names if name not in scheme.names]:
            raise DataError(
                f"{path}: the scheme {scheme} has no point {unknown[0]!r}: give both the same names"
            )
        raise DataError(f"{path}: a keypoint of a category appears twice in {', '.join(names)}")
    return [names.index(name) for name in scheme.names]


def _order_for(
    where: str, orders: Mapping[int | str, Sequence[int] | None], category: object, scheme: Scheme
) -> Sequence[int] | None:
    """Return the order of an annotation's ``category``; that of the scheme where it tells none."""
    if not isinstance(category, int | str | None):
        raise DataError(f"{where}: expected the id of a category, got {shorten(repr(category))}")
    return range(scheme.n_points) if category is None else orders.get(category, range(scheme.n_points))


def _points(where: str, values: object, scheme: Scheme) -> FloatArray | None:
    """Return the points ``(P, 2)`` of an annotation, None if one of them is not labelled."""
    count = _PER_POINT * scheme.n_points
    if not isinstance(values, list) or len(values) != count:
        found = len(values) if isinstance(values, list) else shorten(repr(values))
        raise DataError(f"{where}: expected {count} numbers, x, y and visibility of each point, got {found}")
    numbers = np.array([coordinate(where, str(value)) for value in values]).reshape(-1, _PER_POINT)
    return None if (numbers[:, 2] == 0).any() else np.asarray(numbers[:, :2])


def _face(
    where: str, folder: Path, entry: Mapping[str, Any], points: FloatArray, subset: str
) -> LabelledFace:
    image = image_below(where, folder, str(entry["file_name"]))
    said = entry.get("width"), entry.get("height")
    if None not in said and said != (size := image_size(image)):
        raise DataError(
            f"{where}: the labels are for a picture of {said[0]}x{said[1]} pixels, and {image} is stored "
            f"with {size[0]}x{size[1]}"
        )
    places = [where] * len(points)
    refuse_hidden(points, places)
    check_points(points, image, places)
    return LabelledFace(image, points, subset)
