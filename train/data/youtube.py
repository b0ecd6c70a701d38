"""Reader of YouTube faces with iBUG's points: video frames, labelled in one CSV file per part.

The frames are those of L. Wolf, T. Hassner, I. Maoz: Face recognition in unconstrained videos with matched
background similarity, CVPR 2011; the layout that of Udacity's facial key points project.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from tracker.types import N_POINTS
from train.data.faces import LabelledFace, check_once, check_points, image_below, refuse_hidden
from train.data.text import coordinate, numbered_lines, shorten
from train.errors import DataError

_HEADER = ["", *map(str, range(2 * N_POINTS))]
_NAME = re.compile(r"(.+)_[0-9]{2}\.jpg")


def read_youtube_csv(path: Path, images: Path) -> list[LabelledFace]:
    """Read the faces of one CSV file, whose images lie in the folder ``images``.

    After a header (an empty cell, then 0 to 135) each line holds an image name ``Person_NN.jpg`` and x0, y0
    to x67, y67 in pixels, counted from 0. ``person`` is the name without ``_NN.jpg``: both parts show the
    same people, so split by it. ``subset`` is ``youtube``. The points are checked against the image's size,
    read from its header.

    Raises :class:`DataError` with file and line if the file deviates from this layout, for an image that is
    missing or listed twice, and for a point far outside its image.
    """
    lines = numbered_lines(path)
    if not lines or lines[0][1].split(",") != _HEADER:
        number, line = lines[0] if lines else (1, "")
        raise DataError(f"{path}:{number}: expected the header ,0,1 to ,{_HEADER[-1]}, got {shorten(line)}")
    if len(lines) == 1:
        raise DataError(f"{path}: no faces after the header")
    seen: dict[object, str] = {}
    return [_face(f"{path}:{number}", line, images, seen) for number, line in lines[1:]]


def _face(where: str, line: str, images: Path, seen: dict[object, str]) -> LabelledFace:
    name, *cells = line.split(",")
    match = _NAME.fullmatch(name)
    if match is None:
        raise DataError(f"{where}: expected an image name such as Some_Person_07.jpg, got {shorten(name)}")
    if len(cells) != 2 * N_POINTS:
        raise DataError(f"{where}: expected {2 * N_POINTS} numbers after the name, got {len(cells)}")
    check_once(where, name, seen)
    points = np.array([coordinate(where, cell) for cell in cells]).reshape(N_POINTS, 2)
    refuse_hidden(points, [where] * N_POINTS)
    image = image_below(where, images, name)
    check_points(points, image, [where] * N_POINTS)
    return LabelledFace(image, points, "youtube", match[1])
