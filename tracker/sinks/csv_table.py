"""CSV table with one row per face."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tracker.sinks.json_lines import FaceRecord, face_record
from tracker.sinks.text import Cell, TableSink
from tracker.types import N_POINTS, FrameResult

CSV_HEADER = (
    *("source", "frame", "time_s", "id", "x0_box", "y0_box", "x1_box", "y1_box", "score"),
    *(f"{axis}{i}" for i in range(N_POINTS) for axis in "xy"),
    *("eye_open_left", "eye_open_right", "mouth_open", "yaw_deg", "pitch_deg", "roll_deg", "blinks"),
)
"""Columns of a table with one row per face; those of the face begin with ``id``."""

_NO_MEASURES = (None,) * 7


class CsvSink(TableSink):
    """CSV table: a header, then one row per face; frames without faces leave no row.

    Columns are :data:`CSV_HEADER`: coordinates in frame pixels, rounded to 0.01 as in the JSON lines, and
    empty cells for unknown measures. Raises :class:`~tracker.errors.SinkError` when the file is one of
    ``inputs`` or cannot be opened, written or closed.
    """

    def __init__(self, path: Path, inputs: Iterable[Path] = ()) -> None:
        super().__init__(path, CSV_HEADER, inputs)

    def write(self, result: FrameResult) -> None:
        """Append the rows of one frame."""
        frame = (result.source, result.index, round(result.time_s, 6))
        self._write_rows([*frame, *face_cells(face_record(face))] for face in result.faces)


def face_cells(face: FaceRecord) -> Iterator[Cell]:
    """Yield the cells of a face in the order of :data:`CSV_HEADER`, from ``id`` on; None if unknown."""
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
