"""Reader of labels in a CSV table: one row a face, the columns named after the points."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tracker.scheme.value import Scheme
from train.data.faces import LabelledFace, check_points, image_below, refuse_hidden
from train.data.tables import Row, csv_rows, point_columns, read_table
from train.data.text import coordinate
from train.errors import DataError


def read_point_table(path: Path, subset: str, scheme: Scheme) -> tuple[list[LabelledFace], int]:
    """Read the faces of a table, and the number of rows that were left out.

    The column ``file`` holds the image's name, relative to the table; ``x0``, ``y0``, ``x1``, ``y1`` and so
    on, or ``NAME_x`` and ``NAME_y`` by the names of ``scheme``, hold 0-based pixels. Other columns are
    ignored. Rows with an empty cell among these are left out.

    Raises :class:`DataError`, with file and line, for other columns, for a missing image, and for a point
    that lies far outside its image.
    """
    columns = _columns(path, scheme)
    faces, left_out = [], 0
    for row in read_table(path, ["file", *columns]):
        face = _face(path, row, columns, subset)
        faces += [face] if face else []
        left_out += face is None
    if not faces:
        raise DataError(f"{path}: no row with all of its {scheme.n_points} points")
    return faces, left_out


def _columns(path: Path, scheme: Scheme) -> list[str]:
    """Return the names of the columns in the order x, y of each point, which depend on the table's header."""
    numbered = point_columns(scheme.n_points)
    first, header = next(iter(csv_rows(path)), (1, []))
    beyond = f"x{scheme.n_points}"
    if beyond in header:
        raise DataError(f"{path}:{first}: the scheme {scheme} has no point for the column {beyond}")
    if scheme.names and numbered[0] not in header:
        return [f"{name}_{axis}" for name in scheme.names for axis in "xy"]
    return numbered


def _face(path: Path, row: Row, columns: list[str], subset: str) -> LabelledFace | None:
    where, cells = row
    texts = [cells[name].strip() for name in columns]
    if not all(texts):
        return None
    points = np.array([coordinate(where, text) for text in texts]).reshape(-1, 2)
    places = [where] * len(points)
    refuse_hidden(points, places)
    image = image_below(where, path.parent, cells["file"])
    check_points(points, image, places)
    return LabelledFace(image, points, subset)
