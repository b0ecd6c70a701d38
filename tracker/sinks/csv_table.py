"""CSV table with one row per face."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tracker.errors import MisuseError, ResultsError
from tracker.scheme.decimals import decimal, whole
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import LEAST_POINTS, Scheme
from tracker.sinks.line_records import FaceRecord, face_record
from tracker.sinks.sink import check_scheme
from tracker.sinks.text import Cell, TableSink, read_cell
from tracker.types import FrameResult

_BEFORE = ("source", "frame", "time_s", "id", "x0_box", "y0_box", "x1_box", "y1_box", "score")
_AFTER = ("eye_open_left", "eye_open_right", "mouth_open", "yaw_deg", "pitch_deg", "roll_deg", "blinks")


def csv_header(n_points: int) -> tuple[str, ...]:
    """Return the columns of a table of faces with ``n_points`` points; those of a face begin with ``id``."""
    return *_BEFORE, *(f"{axis}{i}" for i in range(n_points) for axis in "xy"), *_AFTER


CSV_HEADER = csv_header(IBUG68.n_points)
"""Columns of a table of the shipped models."""

_NO_MEASURES = (None,) * 7
_READERS: Mapping[str, Callable[[str], Cell]] = {
    "source": read_cell, "frame": whole, "id": whole, "blinks": whole,
}  # fmt: skip


class CsvSink(TableSink):
    """CSV table: a header, then one row per face; frames without faces leave no row.

    Columns are those of :func:`csv_header` for ``scheme``: coordinates in frame pixels, rounded to 0.01 as in
    the JSON lines, and empty cells for unknown measures. Raises :class:`~tracker.errors.SinkError` when the
    file is one of ``inputs`` or cannot be opened, written or closed.
    """

    def __init__(self, path: Path | str, inputs: Iterable[Path] = (), scheme: Scheme = IBUG68) -> None:
        super().__init__(path, csv_header(scheme.n_points), inputs)
        self._scheme = scheme

    def write(self, result: FrameResult) -> None:
        """Append the rows of one frame; MisuseError for landmarks of another scheme."""
        self._check_open()
        check_scheme(self, self._scheme, result)
        self._write_rows(_rows(result))


def results_table(results: FrameResult | Iterable[FrameResult]) -> dict[str, list[Cell]]:
    """Return the table that :class:`CsvSink` writes, as a list of cells for each column.

    ``pandas.DataFrame(results_table(results))`` makes a data frame of it, as other libraries do. There is one
    row per face, and none for a frame without faces; an unknown measure is None. A single result is taken,
    too. Raises :class:`~tracker.errors.MisuseError` for anything but results, and for those of several
    schemes.
    """
    given = (results,) if isinstance(results, FrameResult) else results
    if not isinstance(given, Iterable):
        raise MisuseError(f"results are a FrameResult or several, as step() returns, got {given!r:.60}")
    checked = [_checked(result) for result in given]
    scheme = checked[0].scheme if checked else IBUG68
    if others := [result.scheme for result in checked if result.scheme != scheme]:
        raise MisuseError(f"results of one table are of one scheme, got {scheme} and {others[0]}")
    rows = [cells for result in checked for cells in _rows(result)]
    return {name: [cells[i] for cells in rows] for i, name in enumerate(csv_header(scheme.n_points))}


def read_table(path: Path | str) -> dict[str, list[Cell]]:
    """Read the table that :class:`CsvSink` wrote, as :func:`results_table` makes it.

    Control characters in the names of sources stay escaped. Raises :class:`~tracker.errors.ResultsError`,
    with file and line, for another file.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            header = tuple(next(rows, ()))
            n_points = (len(header) - len(_BEFORE) - len(_AFTER)) // 2
            if n_points < LEAST_POINTS or header != csv_header(n_points):
                raise ResultsError(f"{path}:1: not the header of the tracker's CSV: give what --csv wrote")
            cells = [_read_row(row, header, f"{path}:{rows.line_num}") for row in rows]
    except (OSError, ValueError, csv.Error) as error:
        raise ResultsError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from error
    return {name: [row[i] for row in cells] for i, name in enumerate(header)}


def _read_row(row: list[str], header: Sequence[str], where: str) -> list[Cell]:
    if len(row) != len(header):
        raise ResultsError(f"{where}: expected {len(header)} cells, got {len(row)}")
    try:
        cells = zip(header, row, strict=True)
        return [_READERS.get(name, decimal)(cell) if cell else None for name, cell in cells]
    except ValueError as error:
        raise ResultsError(f"{where}: {error}") from error


def _checked(result: object) -> FrameResult:
    if not isinstance(result, FrameResult):
        raise MisuseError(f"each of the results is a FrameResult, as step() returns, got {result!r:.60}")
    return result


def _rows(result: FrameResult) -> Iterator[list[Cell]]:
    frame = (result.source, result.index, round(result.time_s, 6))
    return ([*frame, *face_cells(face_record(face))] for face in result.faces)


def face_cells(face: FaceRecord) -> Iterator[Cell]:
    """Yield the cells of a face in the order of :func:`csv_header`, from ``id`` on; None if unknown."""
    yield face["id"]
    yield from face["box"]
    yield face["score"]
    for point in face["landmarks"]:
        yield from point
    if measures := face.get("measures"):
        yield from measures["eye_open"]
        yield measures["mouth_open"]
        yield from (measures["yaw_deg"], measures["pitch_deg"], measures["roll_deg"])
        yield measures["blinks"]
    else:
        yield from _NO_MEASURES
