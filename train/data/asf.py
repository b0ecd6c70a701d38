"""Reader of the IMM Face Database: 40 people in 6 shots each, 58 points in ``.asf`` files.

M. M. Nordstrom, M. Larsen, J. Sierakowski, M. B. Stegmann: The IMM Face Database, technical report, Technical
University of Denmark, 2004. The layout is that of M. B. Stegmann's AAM-API.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tracker.scheme.imm58 import IMM58
from tracker.types import FloatArray
from train.data.faces import check_once, check_points, image_below, refuse_hidden
from train.data.image_size import image_size
from train.data.text import coordinate, numbered_lines, shorten
from train.errors import DataError

N_ASF_POINTS = IMM58.n_points
N_SHOTS = 6

_NAME = re.compile(r"([0-9]{2})-([1-6])[fm]")
_COLUMNS = (7, 10)  # path, type, x, y, point, from, to; later versions add three for the user


@dataclass(frozen=True, eq=False)
class Shot:
    """One photograph of one person, with its labels.

    ``points`` is ``(58, 2)`` float64, x then y, in image pixels with (0, 0) the centre of the top-left pixel,
    in the order of the files: jaw 0-12, eyes 13-20 and 21-28, brows 29-33 and 34-38, mouth 39-46, nose 47-57.
    ``person`` counts from 1; ``shot`` is 1 neutral, 2 smile, 3 and 4 turned, 5 side light, 6 free.

    Raises :class:`DataError` for other shapes and numbers.
    """

    image: Path
    points: FloatArray
    person: int
    shot: int

    def __post_init__(self) -> None:
        if self.points.shape != (N_ASF_POINTS, 2) or not np.isfinite(self.points).all():
            raise DataError(f"{self.image}: expected {N_ASF_POINTS} finite points, got {self.points.shape}")
        if self.person < 1 or not 1 <= self.shot <= N_SHOTS:
            raise DataError(f"{self.image}: no person {self.person} in shot {self.shot}")


def read_asf(path: Path) -> Shot:
    """Read one ``.asf`` file named ``PP-Sg`` (person, shot, gender) and find its image beside it.

    The file holds, between comments (``#``), the number of points, a line of 7 (or 10) columns for each, and
    the image's name. Columns 3 and 4 are x and y relative to the image's width and height. They are converted
    to pixels as ``x * width`` and ``y * height``, without an offset: the AAM-API, which wrote the files,
    defines ``x_relative = x_absolute / image_width`` and reads pixels at the absolute coordinates, so its (0,
    0) is the centre of the top-left pixel, as in this project.

    Raises :class:`DataError` with file and line if the file deviates from this layout.
    """
    person, shot = _person_and_shot(path)
    image, points = read_asf_points(path)
    return Shot(image, points, person, shot)


def read_asf_points(path: Path, n_points: int = N_ASF_POINTS) -> tuple[Path, FloatArray]:
    """Read one ``.asf`` file of any name: its image and ``(n_points, 2)`` in image pixels.

    Layout, conversion and errors are those of :func:`read_asf`.
    """
    lines = [(number, line) for number, line in numbered_lines(path) if not line.startswith("#")]
    if not lines or lines[0][1] != str(n_points):
        number, line = lines[0] if lines else (1, "")
        raise DataError(f"{path}:{number}: expected {n_points}, the number of points, got {shorten(line)}")
    rows, rest = lines[1 : n_points + 1], lines[n_points + 1 :]
    relative = np.array([_relative(path, *row, index) for index, row in enumerate(rows)])
    if len(rest) != 1:
        number = rest[1][0] if rest else lines[-1][0]
        raise DataError(
            f"{path}:{number}: expected {n_points} points and an image name, got {len(lines) - 1} lines"
        )
    image = image_below(f"{path}:{rest[0][0]}", path.parent, rest[0][1])
    places = [f"{path}:{number}" for number, _ in rows]
    refuse_hidden(relative, places)
    points = relative * image_size(image)
    check_points(points, image, places)
    return image, points


def read_imm_folder(folder: Path) -> list[Shot]:
    """Read every ``.asf`` file of ``folder`` that is not hidden, sorted by name, so by person and shot.

    Raises :class:`DataError` if there is none, one cannot be read, or two label the same image.
    """
    files = sorted(file for file in folder.glob("*") if not file.name.startswith("."))
    labels = [file for file in files if file.suffix.lower() == ".asf"]
    if not labels:
        raise DataError(f"{folder}: no .asf files there; docs/train.md shows the layout")
    shots = [read_asf(label) for label in labels]
    seen: dict[object, str] = {}
    for label, shot in zip(labels, shots, strict=True):
        check_once(str(label), shot.image, seen)
    return shots


def _person_and_shot(path: Path) -> tuple[int, int]:
    match = _NAME.fullmatch(path.stem)
    if match is None or match[1] == "00":
        raise DataError(f"{path}: expected a name such as 07-3m.asf: person, shot 1 to {N_SHOTS}, m or f")
    return int(match[1]), int(match[2])


def _relative(path: Path, number: int, line: str, index: int) -> tuple[float, float]:
    where, columns = f"{path}:{number}", line.split()
    if len(columns) not in _COLUMNS or columns[4] != str(index):
        raise DataError(f"{where}: expected the 7 columns of point {index}, got {shorten(line)}")
    return coordinate(where, columns[2]), coordinate(where, columns[3])
