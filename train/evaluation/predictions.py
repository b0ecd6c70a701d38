"""Reader of the tracker's JSON lines, and matching of its faces to labelled ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tracker.scheme.fields import Fields, list_of, two_numbers
from tracker.types import N_POINTS, FaceBox, FloatArray
from train.errors import DataError, in_short

_LANDMARKS = list_of(two_numbers, f"{N_POINTS} points, two numbers each", N_POINTS)


@dataclass(frozen=True, eq=False)
class Line:
    """Result for one image: the points ``(P, 2)`` of its ``faces`` in image pixels, or the ``error``."""

    faces: tuple[FloatArray, ...]
    error: str | None = None


def read_lines(path: Path) -> dict[str, Line]:
    """Read the tracker's JSON lines as a dict from image file name to line, in the file's order.

    Raises :class:`DataError`, with file and line, for a line that is not such an object, and for a second
    line about one image.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {in_short(error)}") from error
    lines: dict[str, Line] = {}
    # Not splitlines: a file name may contain other Unicode line separators, which JSON does not escape.
    for number, row in enumerate(text.removesuffix("\n").split("\n") if text else (), 1):
        try:
            name, line = _parse_line(row)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise DataError(f"{path}:{number}: not a line of the tracker's JSON: {reason}") from error
        if name in lines:
            raise DataError(f"{path}:{number}: a second line about {name}")
        lines[name] = line
    return lines


def collect(
    names: Mapping[str, Sequence[str]], files: Iterable[tuple[str | None, Path]]
) -> dict[str, dict[str, Sequence[FloatArray]]]:
    """Read prediction ``files``, pairs of subset and path, as subset to file name to predicted faces.

    ``names`` gives, for each test image's name, the subsets that have such an image. A file whose subset is
    ``None`` covers every subset that has an image of one of its names; other names are ignored, and an image
    that could not be read has no faces. Raises :class:`DataError` if a file names no test image, if a name
    occurs in several subsets and the file's subset is not given, and if two files cover one image.
    """
    collected: dict[str, dict[str, Sequence[FloatArray]]] = {}
    for subset, path in files:
        known = {name: line.faces for name, line in read_lines(path).items() if name in names}
        homes = {name: _home(path, name, names[name], subset) for name in known}
        if not any(homes.values()):
            raise DataError(f"{path}: names no image of {subset or 'the test sets'}")
        for name, home in homes.items():
            if home is None:
                continue
            if name in collected.setdefault(home, {}):
                raise DataError(f"{path}: {home} image {name} is in an earlier prediction file too")
            collected[home][name] = known[name]
    return collected


def nearest_face(truth: FloatArray, found: Sequence[FloatArray]) -> FloatArray | None:
    """Return the points of ``found`` whose tight box has the largest IoU with that of ``truth``.

    None if no box overlaps.
    """
    label = FaceBox.around(truth)
    best = max(found, key=lambda points: label.iou(FaceBox.around(points)), default=None)
    return best if best is not None and label.iou(FaceBox.around(best)) > 0 else None


def match(truth: FloatArray, found: Sequence[FloatArray]) -> FloatArray:
    """Return the points ``(P, 2)`` of :func:`nearest_face` for the face ``truth``, or NaN without one."""
    best = nearest_face(truth, found)
    return np.full_like(truth, np.nan) if best is None else best


def _home(path: Path, name: str, subsets: Sequence[str], wanted: str | None) -> str | None:
    if wanted is not None:
        return wanted if wanted in subsets else None
    if len(subsets) > 1:
        raise DataError(
            f"{path}: {name} is an image of {' and '.join(subsets)}: say --predictions SUBSET={path}"
        )
    return subsets[0]


def _parse_line(text: str) -> tuple[str, Line]:
    record: dict[str, Any] = json.loads(text)
    name = record["source"]
    if not isinstance(name, str):
        raise TypeError(f"source must be a string, got {name!r}")
    if "error" in record:
        return name, Line((), str(record["error"]))
    return name, Line(tuple(_parse_points(face) for face in record["faces"]))


def _parse_points(face: Mapping[str, Any]) -> FloatArray:
    points = np.array(Fields(face, "a face").require("landmarks", _LANDMARKS), np.float64)
    FaceBox.around(points)  # raises if points are not finite or span no area
    return points
