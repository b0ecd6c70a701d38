"""Readers of half-labelled faces: 30 points of the visible half, as the CFP profiles have them.

S. Sengupta et al., "Frontal to Profile Face Verification in the Wild", WACV 2016. Coordinates count from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import MIRROR
from tracker.types import N_POINTS, FloatArray
from train.data.faces import COVERED, GUESSED, VISIBLE, LabelledFace, check_once, check_points, image_below
from train.data.head import complete
from train.data.tables import Row, file_name, point_columns, points_of, read_table
from train.data.text import shorten
from train.errors import DataError

N_HALF = 30

_JAW, _BROW, _RIDGE = (*range(9),), (17, 19, 21), (27, 28, 29, 30)
# fmt: off
HALF_RIGHT: npt.NDArray[np.intp] = np.array(
    [*_JAW, *_BROW, 36, 37, 38, 39, 41, 40, *_RIDGE, 33, 32, 31, 48, 51, 62, 57, 66], np.intp
)
# fmt: on
"""Point of iBUG's, counted from 0, that each of the 30 labels if the nose points right in the picture."""

HALF_LEFT: npt.NDArray[np.intp] = np.asarray(MIRROR[HALF_RIGHT])
"""The same if the nose points left."""

HALF_HANDS: npt.NDArray[np.intp] = HALF_RIGHT.copy()
"""The same for faces behind hands, which exchange the lower points of the eye."""
HALF_HANDS[[16, 17]] = HALF_RIGHT[[17, 16]]

for _table in (HALF_RIGHT, HALF_LEFT, HALF_HANDS):
    _table.setflags(write=False)

_NAMES = {"right": HALF_RIGHT, "left": HALF_LEFT}


def read_profiles(folder: Path) -> list[LabelledFace]:
    """Read ``points30.csv`` of the folder ``profiles``: faces ``cfp_PPP_NN.jpg`` turned by 25 to 90 degrees.

    ``subset`` is ``profiles``, ``person`` is PPP. Labelled points are visible, except that those of the files
    in ``occluded.txt`` may be covered; the others are completed with the mean head and guessed. Raises
    :class:`DataError` with file and line for anything that deviates from this layout.
    """
    path = folder / "points30.csv"
    rows = read_table(path, ["file", "faces_image", *point_columns(N_HALF)])
    seen: dict[object, str] = {}
    covered = _names(folder / "occluded.txt")
    faces = []
    for row in rows:
        where, cells = row
        if cells["faces_image"] not in _NAMES:
            raise DataError(f"{where}: expected left or right, got {shorten(cells['faces_image'])}")
        name = file_name(row, "cfp_")
        state = COVERED if name in covered else VISIBLE
        faces.append(_face(row, folder, name, _NAMES[cells["faces_image"]], state, seen))
    return faces


def read_hands(folder: Path) -> list[LabelledFace]:
    """Read ``points30_half.csv`` of the folder ``masked``: faces ``hand_cfp_PPP_NN.jpg`` behind something.

    Hands, phones, cups or microphones cover a part that is not told, so labelled points count as covered.
    ``subset`` is ``hands``, ``person`` is PPP, of the same people as the profiles. Raises as
    :func:`read_profiles`.
    """
    path = folder / "points30_half.csv"
    rows = read_table(path, ["file", *point_columns(N_HALF)])
    seen: dict[object, str] = {}
    return [_face(row, folder, file_name(row, "hand_cfp_"), HALF_HANDS, COVERED, seen) for row in rows]


def _face(
    row: Row, folder: Path, name: str, numbers: npt.NDArray[np.intp], state: int, seen: dict[object, str]
) -> LabelledFace:
    where, _ = row
    check_once(where, name, seen)
    image = image_below(where, folder, name)
    labelled = points_of(row, N_HALF)
    check_points(labelled, image, [where] * N_HALF)
    points, visibility = place(labelled, numbers, state)
    subset = "hands" if name.startswith("hand_") else "profiles"
    return LabelledFace(image, points, subset, _person(where, name), visibility)


def place(
    labelled: FloatArray, numbers: npt.NDArray[np.intp], state: int = VISIBLE
) -> tuple[FloatArray, npt.NDArray[np.int8]]:
    """Complete the points ``labelled`` ``(N, 2)`` that have these ``numbers`` ``(N,)`` among iBUG's.

    Returns points ``(P, 2)`` and visibility ``(P,)``: ``state`` for labelled points, guessed for others.
    """
    points, visibility = np.zeros((N_POINTS, 2)), np.full(N_POINTS, GUESSED, np.int8)
    points[numbers], visibility[numbers] = labelled, state
    return complete(points, visibility != GUESSED), visibility


def _person(where: str, name: str) -> str:
    person = name.split("_")[-2]
    if not (person.isascii() and person.isdecimal()):
        raise DataError(f"{where}: expected a file name ..._PPP_NN.jpg, got {shorten(name)}")
    return person


def _names(path: Path) -> Sequence[str]:
    return path.read_text("utf-8").split() if path.is_file() else ()
