"""Read 68-point labels into one convention: 0-based pixels, (0, 0) the centre of the top-left pixel."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from tracker.types import N_POINTS, FloatArray
from train.errors import DataError

IMAGE_SUFFIXES = (".jpg", ".png", ".jpeg", ".bmp")


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One face: where its image lies, its ``(68, 2)`` points in image pixels, and its data set."""

    image: Path
    points: FloatArray
    subset: str

    def __post_init__(self) -> None:
        if self.points.shape != (N_POINTS, 2) or not np.isfinite(self.points).all():
            raise DataError(f"{self.image}: expected {N_POINTS} finite points, got {self.points.shape}")
        if np.ptp(self.points, axis=0).min() <= 0:
            raise DataError(f"{self.image}: the points span no area")


def read_pts(path: Path) -> FloatArray:
    """Read one iBUG ``.pts`` file: ``(68, 2)`` float64, shifted from 1-based to 0-based pixels.

    Raises :class:`DataError` with file and line for anything but 68 lines of two finite numbers
    between braces.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    try:
        start = next(i for i, line in enumerate(lines) if line.strip() == "{")
        stop = next(i for i, line in enumerate(lines) if line.strip() == "}")
    except StopIteration:
        raise DataError(f"{path}: no point list between {{ and }}") from None
    rows = [(number, line) for number, line in enumerate(lines[start + 1 : stop], start + 2) if line.strip()]
    if len(rows) != N_POINTS:
        raise DataError(f"{path}:{start + 1}: expected {N_POINTS} points, got {len(rows)}")
    return np.array([_parse_pair(path, number, line) for number, line in rows]) - 1.0


def write_pts(path: Path, points: FloatArray) -> None:
    """Write 0-based ``(68, 2)`` points as a 1-based iBUG ``.pts`` file."""
    rows = "\n".join(f"{x:.6f} {y:.6f}" for x, y in np.asarray(points) + 1.0)
    path.write_text(f"version: 1\nn_points: {len(points)}\n{{\n{rows}\n}}\n", encoding="utf-8")


def read_pts_folder(folder: Path, subset: str) -> list[LabelledFace]:
    """Every image of ``folder`` with a ``.pts`` beside it, in order of name.

    Raises :class:`DataError` if the folder is missing or has no labels, or a label has no image.
    """
    labels = sorted(folder.glob("*.pts"))
    if not labels:
        raise DataError(f"{folder}: no .pts files there; see --data in --help for the layout")
    return [LabelledFace(_image_beside(label), read_pts(label), subset) for label in labels]


def read_dlib_xml(path: Path, subset: str) -> list[LabelledFace]:
    """Faces of a dlib ``imglab`` file such as ``labels_ibug_300W_train.xml``.

    Image names are relative to the file; parts are 0-based pixels and named ``00`` to ``67``.
    Raises :class:`DataError` for anything that is not so.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    faces = list(_xml_faces(path, root, subset))
    if not faces:
        raise DataError(f"{path}: no <box> with parts in it")
    return faces


def _xml_faces(path: Path, root: ElementTree.Element, subset: str) -> Iterator[LabelledFace]:
    for image in root.iter("image"):
        name = image.get("file")
        if name is None:
            raise DataError(f"{path}: an <image> without file=")
        file = path.parent / name
        if not file.is_file():
            raise DataError(f"{path}: image {file} is missing")
        for box in image.iter("box"):
            parts = {part.get("name"): part for part in box.iter("part")}
            if sorted(map(str, parts)) != [f"{i:02d}" for i in range(N_POINTS)]:
                raise DataError(f"{path}: {name}: expected parts 00 to {N_POINTS - 1}, got {len(parts)}")
            rows = [parts[f"{i:02d}"] for i in range(N_POINTS)]
            try:
                points = np.array([[float(row.attrib["x"]), float(row.attrib["y"])] for row in rows])
            except (KeyError, ValueError) as error:
                raise DataError(f"{path}: {name}: a part without a number: {error}") from error
            yield LabelledFace(file, points, subset)


def _parse_pair(path: Path, number: int, line: str) -> tuple[float, float]:
    try:
        x, y = map(float, line.split())
    except ValueError:
        raise DataError(f"{path}:{number}: expected two numbers, got {line!r}") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise DataError(f"{path}:{number}: expected two finite numbers, got {line!r}")
    return x, y


def _image_beside(label: Path) -> Path:
    for suffix in IMAGE_SUFFIXES:
        image = label.with_suffix(suffix)
        if image.is_file():
            return image
    raise DataError(f"{label}: no image beside it ({', '.join(IMAGE_SUFFIXES)})")
