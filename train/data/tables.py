"""Reading of label tables: CSV files with a header, one row an image."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tracker.types import FloatArray
from train.data.faces import refuse_hidden
from train.data.text import coordinate, read_text, shorten
from train.errors import DataError

Row = tuple[str, dict[str, str]]
"""Place of a row as ``file:line``, and its cells by column."""


def read_table(path: Path, columns: Sequence[str]) -> list[Row]:
    """Read the rows of a CSV file whose header has at least ``columns``.

    Raises :class:`DataError` with file and line for a header that lacks one of them or has one twice,
    a row with more or fewer cells than the header, and a file without rows.
    """
    lines = csv_rows(path)
    first, header = lines[0] if lines else (1, [])
    if missing := [name for name in columns if name not in header]:
        raise DataError(f"{path}:{first}: the header lacks {', '.join(missing)}")
    if twice := [name for name in columns if header.count(name) > 1]:
        raise DataError(f"{path}:{first}: the header has {', '.join(twice)} twice")
    rows = []
    for number, cells in lines[1:]:
        if len(cells) != len(header):
            raise DataError(f"{path}:{number}: expected {len(header)} cells, got {len(cells)}")
        rows.append((f"{path}:{number}", dict(zip(header, cells, strict=True))))
    if not rows:
        raise DataError(f"{path}: no rows after the header")
    return rows


def csv_rows(path: Path) -> list[tuple[int, list[str]]]:
    """Read the rows of a CSV file, each with its number from 1; a row is a line, and empty ones are left out.

    Raises :class:`DataError`, with file and line, for one that is no CSV.
    """
    rows = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        try:
            rows += [(number, cells) for cells in csv.reader([line], strict=True) if cells]
        except csv.Error as error:
            raise DataError(f"{path}:{number}: cannot be read as CSV: {error}") from error
    return rows


def points_of(row: Row, count: int) -> FloatArray:
    """Return the points ``x0, y0, x1, y1, ...`` of ``row`` as ``(count, 2)``.

    Raises :class:`DataError` for a cell that is not a coordinate, and a point that is marked as hidden.
    """
    where, cells = row
    values = [coordinate(where, cells[f"{axis}{number}"]) for number in range(count) for axis in "xy"]
    points = np.array(values).reshape(count, 2)
    refuse_hidden(points, [where] * count)
    return points


def point_columns(count: int) -> list[str]:
    """Return the column names of ``count`` points."""
    return [f"{axis}{number}" for number in range(count) for axis in "xy"]


def file_name(row: Row, prefix: str) -> str:
    """Return the cell ``file`` of ``row``, which must begin with ``prefix``.

    Raises :class:`DataError` if it does not.
    """
    where, cells = row
    if not cells["file"].startswith(prefix):
        raise DataError(f"{where}: expected a file name {prefix}..., got {shorten(cells['file'])}")
    return cells["file"]
