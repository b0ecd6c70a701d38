"""Parquet table with one row per face, for pandas, Polars, DuckDB and R; needs the extra ``parquet``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.distribution import install_command
from tracker.errors import SinkError
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.sinks.csv_table import csv_header, face_cells
from tracker.sinks.line_records import FaceRecord, face_record
from tracker.sinks.sink import Sink, check_scheme
from tracker.sources.images.source import ReadFailure
from tracker.system.files import beside, check_output, guarded_write
from tracker.system.opening import open_output
from tracker.system.terminal import without_controls
from tracker.types import FrameResult

METADATA_KEY = b"tracker"
"""Key in the file's metadata of a JSON object that tells what made the file."""

_GROUP_ROWS = 2048  # bounds memory to some megabytes, however long the run
_INTEGERS = ("frame", "id", "width", "height", "blinks")
_FRAME_COLUMNS = ("source", "frame", "time_s", "width", "height")

Row = dict[str, Any]
"""Cells of one row by column; missing ones are null."""


class ParquetSink(Sink):
    """Parquet table: one row per face, with the columns and numbers of the CSV table.

    To :func:`~tracker.sinks.csv_table.csv_header` it adds ``width`` and ``height`` of the frame in pixels,
    ``quality``, a list of one number a point of ``scheme``, and ``error`` for an image that could not be
    read. A frame without faces has one row whose ``id`` is null, so that no frame is missing; unknown values
    are null. ``made_by`` goes into the metadata as JSON under :data:`METADATA_KEY`.

    Until :meth:`close` the file is named ``NAME.part``; a run that ends in an error keeps its rows. Raises
    :class:`~tracker.errors.SinkError` when pyarrow is not installed, the file cannot be written, or it is one
    of ``inputs``.
    """

    def __init__(
        self,
        path: Path | str,
        inputs: Iterable[Path] = (),
        made_by: Mapping[str, Any] | None = None,
        scheme: Scheme = IBUG68,
    ) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise SinkError(
                f"cannot write {path}: Parquet needs pyarrow ({error}): {install_command('parquet')}"
            ) from error
        path = Path(path)
        check_output(path, inputs)
        if path.exists() and not path.is_file():
            raise SinkError(f"cannot write {path}: it is not a file; choose another name")
        self.path = path
        self._draft = beside(path, f"{path.name}.part")
        self._rows: list[Row] = []
        self._pyarrow = pyarrow
        self._scheme = scheme
        self._header = csv_header(scheme.n_points)
        self._schema = _schema(pyarrow, self._header, made_by or {})
        with guarded_write(path):
            # Opened here, because pyarrow would take some names for addresses and connect to them.
            self._file = open_output(self._draft)
            self._writer = pyarrow.parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        self._failed = False

    def write(self, result: FrameResult) -> None:
        """Append one row for each face of a frame, or one without a face; MisuseError for another scheme."""
        self._check_open()
        check_scheme(self, self._scheme, result)
        height, width = result.image_hw
        frame = _frame_row(result.source, result.index, round(result.time_s, 6), width, height)
        faces = [face_record(face) for face in result.faces]
        self._append([{**frame, **_face_row(face, self._header)} for face in faces] or [frame])

    def write_failure(self, failure: ReadFailure) -> None:
        """Append the row of an image that could not be read."""
        self._check_open()
        self._append([{**_frame_row(failure.source, 0, 0.0, 0, 0), "error": failure.message}])

    def _close(self) -> None:
        """Write the rows in memory and give the file its name.

        After a failed :meth:`write` there is no file: a group that was written in part cannot be trusted.
        """
        with guarded_write(self.path):
            try:
                self._finish()
            finally:
                if self._failed:
                    self._draft.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._failed:
            with suppress(OSError, ValueError):  # the error was raised before, and the file is deleted
                self._writer.close()
                self._file.close()
            return
        self._flush()
        self._failed = True  # unless all of the following succeeds
        self._writer.close()
        self._file.close()
        self._draft.replace(self.path)
        self._failed = False

    def _append(self, rows: Iterable[Row]) -> None:
        self._rows += rows
        if len(self._rows) >= _GROUP_ROWS:
            with guarded_write(self.path):
                self._flush()

    def _flush(self) -> None:
        """Write the rows in memory as one group."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        self._failed = True  # unless all of the following succeeds
        columns = [
            self._pyarrow.array([_utf8(row.get(field.name)) for row in rows], field.type)
            for field in self._schema
        ]
        self._writer.write_table(self._pyarrow.Table.from_arrays(columns, schema=self._schema))
        self._failed = False


def _frame_row(source: str, index: int, time_s: float, width: int, height: int) -> Row:
    return dict(zip(_FRAME_COLUMNS, (source, index, time_s, width, height), strict=True))


def _face_row(face: FaceRecord, header: Sequence[str]) -> Row:
    return dict(zip(header[3:], face_cells(face), strict=True)) | {"quality": face.get("quality")}


def _schema(pyarrow: Any, header: Sequence[str], made_by: Mapping[str, Any]) -> Any:
    types = {name: pyarrow.int64() for name in _INTEGERS}
    types |= {"source": pyarrow.string(), "error": pyarrow.string()}
    types["quality"] = pyarrow.list_(pyarrow.float64())
    fields = [
        pyarrow.field(name, types.get(name, pyarrow.float64()), nullable=name not in _FRAME_COLUMNS)
        for name in (*_FRAME_COLUMNS, *header[3:], "quality", "error")
    ]
    return pyarrow.schema(fields, {METADATA_KEY: json.dumps(made_by, sort_keys=True).encode()})


def _utf8(value: Any) -> Any:
    """Return text with escapes for control characters and invalid UTF-8, as in the CSV."""
    return without_controls(value) if isinstance(value, str) else value
