"""Reader and writer of 300-W as iBUG distributes it: a ``.pts`` file beside each image, in a tree of folders.

C. Sagonas, E. Antonakos, G. Tzimiropoulos, S. Zafeiriou, M. Pantic: 300 Faces In-The-Wild Challenge: Database
and results. Image and Vision Computing 47, 2016.
"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from tracker.scheme.ibug68 import IBUG68
from tracker.types import FloatArray
from train.data.faces import (
    IMAGE_SUFFIXES,
    UNREADABLE_SUFFIXES,
    LabelledFace,
    check_once,
    check_points,
    refuse_hidden,
)
from train.data.text import coordinate, numbered_lines, shorten
from train.errors import DataError

FOLDERS_300W: Mapping[str, str] = MappingProxyType(
    {
        "afw": "afw",
        "helen/trainset": "helen",
        "helen/testset": "helen",
        "lfpw/trainset": "lfpw",
        "lfpw/testset": "lfpw",
        "ibug": "ibug",
        "300W/01_Indoor": "indoor",
        "300W/02_Outdoor": "outdoor",
    }
)
"""Official folders, each with the subset that its faces belong to."""

_Line = tuple[int, str]


def read_pts(path: Path, n_points: int = IBUG68.n_points) -> FloatArray:
    """Read one iBUG ``.pts`` file: ``(n_points, 2)`` float64, shifted from 1-based to 0-based pixels.

    Raises :class:`DataError` with file and line for anything but ``n_points`` lines of two finite numbers
    between braces, after a header that may give their number, and for a point that is marked as hidden.
    """
    return _read_pts(path, n_points)[0]


def write_pts(path: Path, points: FloatArray) -> None:
    """Write 0-based ``(P, 2)`` points as a 1-based iBUG ``.pts`` file."""
    rows = "\n".join(f"{x:.6f} {y:.6f}" for x, y in np.asarray(points) + 1.0)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n", encoding="utf-8")


def read_pts_folder(folder: Path, subset: str, n_points: int = IBUG68.n_points) -> list[LabelledFace]:
    """Read every image of ``folder`` that has a ``.pts`` file beside it, of ``n_points``, sorted by name.

    Suffixes may be in upper case. Hidden files are skipped, since archives packed on a Mac hold a
    ``._name.pts`` for each label that is not a label. Images without label are skipped as well. The points
    are checked against the image's size, read from its header.

    Raises :class:`DataError` if the folder is missing or has no labels, if a label has no image, more than
    one or one with another label, or, with file and line, if a point lies far outside its image.
    """
    files = sorted(file for file in folder.glob("*") if not file.name.startswith("."))
    labels = [file for file in files if file.suffix.lower() == ".pts"]
    if not labels:
        raise DataError(f"{folder}: no .pts files there; docs/train.md shows the layout")
    seen: dict[object, str] = {}
    for label in labels:
        check_once(str(label), label.stem, seen)
    images: dict[str, list[Path]] = {label.stem: [] for label in labels}
    for file in files:
        if file.suffix.lower() in IMAGE_SUFFIXES and file.stem in images:
            images[file.stem].append(file)
    return [_labelled(label, images[label.stem], subset, n_points) for label in labels]


def read_300w(root: Path) -> dict[str, list[LabelledFace]]:
    """Read the faces of each folder of :data:`FOLDERS_300W` that exists below ``root``, by folder.

    Raises :class:`DataError` if none exists, or as :func:`read_pts_folder` does.
    """
    there = {folder: subset for folder, subset in FOLDERS_300W.items() if (root / folder).is_dir()}
    if not there:
        raise DataError(f"{root}: none of the 300-W folders {', '.join(FOLDERS_300W)} is there")
    return {folder: read_pts_folder(root / folder, subset) for folder, subset in there.items()}


def _labelled(label: Path, images: list[Path], subset: str, n_points: int) -> LabelledFace:
    if not images:
        _refuse_unreadable(label)
        raise DataError(f"{label}: no image beside it ({', '.join(IMAGE_SUFFIXES)})")
    if len(images) > 1:
        names = " and ".join(image.name for image in images)
        raise DataError(f"{label}: more than one image beside it: {names}; remove all but one")
    points, places = _read_pts(label, n_points)
    check_points(points, images[0], places)
    return LabelledFace(images[0], points, subset)


def _refuse_unreadable(label: Path) -> None:
    for file in sorted(label.parent.glob(f"{glob.escape(label.stem)}.*")):
        if file.suffix.lower() in UNREADABLE_SUFFIXES:
            raise DataError(f"{label}: training does not read {file.suffix}: save {file.name} as .png")


def _read_pts(path: Path, n_points: int) -> tuple[FloatArray, list[str]]:
    """Read the points as :func:`read_pts` does, and the ``file:line`` of each."""
    opening, rows = _between_braces(path, numbered_lines(path), n_points)
    if len(rows) != n_points:
        raise DataError(f"{path}:{opening}: expected {n_points} points, got {len(rows)}")
    places = [f"{path}:{number}" for number, _ in rows]
    pairs = [_pair(where, line) for where, (_, line) in zip(places, rows, strict=True)]
    points = np.array(pairs)
    refuse_hidden(points, places)
    return points - 1.0, places


def _between_braces(path: Path, lines: list[_Line], n_points: int) -> tuple[int, list[_Line]]:
    """Return the number of the line with the opening brace, and the lines up to the closing one."""
    texts = [text for _, text in lines]
    if "{" not in texts or "}" not in texts:
        raise DataError(f"{path}: no point list between {{ and }}")
    start, stop = texts.index("{"), texts.index("}")
    if stop < start or stop < len(texts) - 1:
        raise DataError(f"{path}:{lines[stop][0]}: expected }} only once, after the points")
    for number, text in lines[:start]:
        key, _, value = text.partition(":")
        if key.strip() == "n_points" and value.strip() != str(n_points):
            raise DataError(f"{path}:{number}: expected n_points: {n_points}, got {shorten(text)}")
    return lines[start][0], lines[start + 1 : stop]


def _pair(where: str, line: str) -> tuple[float, float]:
    columns = line.split()
    if len(columns) != 2:
        raise DataError(f"{where}: expected two numbers, got {shorten(line)}")
    return coordinate(where, columns[0]), coordinate(where, columns[1])
