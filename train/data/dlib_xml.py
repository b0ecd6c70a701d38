"""Reader of the XML format of dlib's ``imglab``, in which dlib distributes 300-W."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

import numpy as np

from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.types import FloatArray
from train.data.faces import LabelledFace, check_once, check_points, image_at, refuse_hidden
from train.data.image_size import is_turned
from train.data.text import coordinate
from train.errors import DataError, in_short

_UPRIGHT = "pixels of the upright pictures"
"""Part of the comment that ``tracker --label-pixels upright`` writes."""

_Places = Mapping[Element, str]


def read_dlib_xml(path: Path, subset: str, scheme: Scheme = IBUG68) -> list[LabelledFace]:
    """Read the faces of a dlib ``imglab`` file such as ``labels_ibug_300W_train.xml``, one for each box.

    Image names are relative to the file. Parts are 0-based pixels of the stored picture, one for each point
    of ``scheme``: named by its number from ``00``, or ``000`` of more than a hundred, or by its name. Boxes
    marked ``ignore='1'`` are skipped, as in dlib. The points are checked against the image's size, read from
    its header.

    Raises :class:`DataError`, with file and the line of the element, if the file deviates from this layout,
    for an image listed twice, and for a point that is marked as hidden or lies far outside its image. The
    file may say that it was written for upright pictures: then also for one that is not stored upright. Also
    raises it for a scheme that names a point by the number of another.
    """
    root, places = _parse(path)
    faces = list(_faces(path, root, places, subset, scheme))
    if not faces:
        raise DataError(f"{path}: no <box> with parts in it")
    return faces


def _parse(path: Path) -> tuple[Element, _Places]:
    """Parse the file and return the tree and the ``file:line`` of each element, which ElementTree lacks."""
    parser, builder = expat.ParserCreate(), TreeBuilder()
    places: dict[Element, str] = {}

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = builder.start(tag, attributes)
        places[element] = f"{path}:{parser.CurrentLineNumber}"

    def refuse(*_: object) -> None:  # labels need no entities, and nested ones can fill the memory
        raise DataError(f"{path}:{parser.CurrentLineNumber}: declares an entity; remove its DOCTYPE")

    parser.StartElementHandler = start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except expat.ExpatError as error:
        raise DataError(f"{path}:{error.lineno}: cannot be read: {error}") from error
    except (OSError, LookupError, ValueError) as error:  # the latter two for an unknown encoding
        raise DataError(f"{path}: cannot be read: {in_short(error)}") from error
    return builder.close(), places


def _faces(path: Path, root: Element, places: _Places, subset: str, scheme: Scheme) -> Iterator[LabelledFace]:
    seen: dict[object, str] = {}
    names = _names(path, scheme)
    is_upright = _UPRIGHT in (root.findtext("comment") or "")
    for image in root.iter("image"):
        where, name = places[image], image.get("file")
        if not name:
            raise DataError(f"{where}: an <image> without file=")
        file = image_at(where, path.parent / name)
        check_once(where, file, seen)
        if is_upright and is_turned(file):
            raise DataError(
                f"{where}: the labels are those of the upright picture, and {file} is stored turned: "
                "write them with tracker --label-pixels stored"
            )
        for box in image.iter("box"):
            if box.get("ignore") != "1":
                points, lines = _points(box, places, names)
                check_points(points, file, lines)
                yield LabelledFace(file, points, subset)


def _names(path: Path, scheme: Scheme) -> dict[str, int]:
    """Return the number of each point by the names that its part may have."""
    numbers = {f"{i:0{digits}d}": i for i in range(scheme.n_points) for digits in (2, 3)}
    for i, name in enumerate(scheme.names):
        if numbers.setdefault(name, i) != i:
            raise DataError(
                f"{path}: the scheme {scheme} calls point {i} {name!r}, which is the number of another here: "
                "give its points names that are no numbers"
            )
    return numbers


def _points(box: Element, places: _Places, names: Mapping[str, int]) -> tuple[FloatArray, list[str]]:
    """Return the points ``(P, 2)`` float64, in order of their numbers, and the ``file:line`` of each."""
    parts: dict[int, Element] = {}
    count = len(set(names.values()))
    for part in box.iter("part"):
        number = names.get(part.get("name", ""))
        if number is None or number in parts:
            raise DataError(
                f"{places[part]}: expected parts 00 to {count - 1:02d} once each, got "
                f"name={part.get('name')!r}"
            )
        parts[number] = part
    if len(parts) != count:
        missing = next(number for number in range(count) if number not in parts)
        raise DataError(f"{places[box]}: expected {count} parts, got {len(parts)}; {missing:02d} is missing")
    ordered = [parts[number] for number in range(count)]
    points = np.array([[coordinate(places[p], p.get(axis, "")) for axis in ("x", "y")] for p in ordered])
    lines = [places[part] for part in ordered]
    refuse_hidden(points, lines)
    return points, lines
