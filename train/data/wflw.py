"""Reader of WFLW: 98 points a face in its own list files, reduced to those of iBUG's scheme.

W. Wu, C. Qian, S. Yang, Q. Wang, Y. Cai, Q. Zhou: Look at Boundary: A Boundary-Aware Face Alignment
Algorithm. CVPR 2018.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from train.data.faces import LabelledFace, check_once, check_points, image_below, refuse_hidden
from train.data.text import coordinate, numbered_lines
from train.errors import DataError

N_WFLW_POINTS = 98

# fmt: off
WFLW_TO_68: npt.NDArray[np.intp] = np.array([
    *range(0, 33, 2),              # jaw: every second of 33
    *range(33, 38),                # left brow: its upper edge; 38 to 41 are the lower one
    *range(42, 47),                # right brow: its upper edge; 47 to 50 are the lower one
    *range(51, 60),                # nose: the same points
    60, 61, 63, 64, 65, 67,        # left eye: without the middles of the lids, 62 and 66
    68, 69, 71, 72, 73, 75,        # right eye: without the middles of the lids, 70 and 74
    *range(76, 96),                # mouth: the same points
], dtype=np.intp)                  # 96 and 97, the pupils, have no counterpart
# fmt: on
WFLW_TO_68.setflags(write=False)
"""Indices of iBUG's points: ``points_98[WFLW_TO_68]`` are in the order of :mod:`tracker.scheme.ibug68`.

The points of lids and jaw are spaced a little differently from iBUG's.
"""

_N_BOX = 4
_N_ATTRIBUTES = 6  # pose, expression, illumination, make-up, occlusion, blur
_N_COLUMNS = 2 * N_WFLW_POINTS + _N_BOX + _N_ATTRIBUTES + 1


def read_wflw_list(path: Path, images: Path) -> list[LabelledFace]:
    """Read the faces of a list such as ``list_98pt_rect_attr_train.txt``, whose images lie below ``images``.

    Each line holds a face: x and y of 98 points in pixels, the box as x and y of two corners, six attributes
    that are 0 or 1, and the image's name below ``WFLW_images``; all separated by blanks. An image may hold
    several faces. The pixels are used as they are: WFLW does not document where they start. Points that
    iBUG's scheme has are kept (:data:`WFLW_TO_68`); ``subset`` is ``wflw``. Points are checked against the
    image's size, read from its header.

    Raises :class:`DataError` with file and line if a line deviates from this layout, for a missing image, a
    face listed twice, and a point far outside its image.
    """
    lines = numbered_lines(path)
    if not lines:
        raise DataError(f"{path}: no faces in it")
    seen: dict[object, str] = {}
    return [_face(f"{path}:{number}", line.split(), images, seen) for number, line in lines]


def _face(where: str, columns: list[str], images: Path, seen: dict[object, str]) -> LabelledFace:
    if len(columns) != _N_COLUMNS:
        raise DataError(
            f"{where}: expected {_N_COLUMNS} columns (x and y of {N_WFLW_POINTS} points, {_N_BOX} numbers of "
            f"the box, {_N_ATTRIBUTES} attributes and the image's name), got {len(columns)}"
        )
    numbers = [coordinate(where, column) for column in columns[:-1]]
    if not set(numbers[-_N_ATTRIBUTES:]) <= {0.0, 1.0}:
        raise DataError(
            f"{where}: expected {_N_ATTRIBUTES} attributes that are 0 or 1 before the image's name"
        )
    check_once(where, tuple(columns), seen)
    points = np.array(numbers[: 2 * N_WFLW_POINTS]).reshape(N_WFLW_POINTS, 2)[WFLW_TO_68]
    refuse_hidden(points, [where] * len(points))
    image = image_below(where, images, columns[-1])
    check_points(points, image, [where] * len(points))
    return LabelledFace(image, points, "wflw")
