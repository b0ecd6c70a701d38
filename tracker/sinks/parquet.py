"""Results as Parquet, for pandas, Polars, DuckDB and R: the extra ``parquet``."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from tracker.errors import SinkError
from tracker.sinks.json_lines import CSV_HEADER, face_record, face_row
from tracker.sources.images.source import ReadFailure
from tracker.system.closing import Closing
from tracker.system.files import check_output, sink_errors
from tracker.types import FrameResult

METADATA_KEY = b"tracker"
"""Under it the file's metadata hold a JSON object that says what made the file."""

_ROWS = 2048  # a group: some megabytes while it is gathered, however long the run
_WHOLE = ("frame", "id", "width", "height", "blinks")
_COLUMNS = (*CSV_HEADER[:3], "width", "height", *CSV_HEADER[3:], "quality", "error")


class ParquetSink(Closing):
    """One row a face, with the columns of :data:`~tracker.sinks.json_lines.CSV_HEADER` and the same numbers.

    Further columns are ``width`` and ``height`` of the frame in pixels, ``quality``, a list of 68, and
    ``error`` of a picture that could not be read. A frame without faces has one row whose ``id`` is null, so
    that no frame is missing; what is not known is null. ``made_by`` goes into the metadata as JSON under
    :data:`METADATA_KEY`.

    The file appears under its name when it is whole, on :meth:`close`, which also keeps what a run that ended
    in an error had found; until then it is ``NAME.part``. Raises :class:`SinkError` when pyarrow is not
    installed, the file cannot be written, or it is one of ``inputs``.
    """

    def __init__(
        self, path: Path, inputs: Iterable[Path] = (), made_by: Mapping[str, Any] | None = None
    ) -> None:
        try:
            import pyarrow
            import pyarrow.parquet
        except ImportError as error:
            raise SinkError(
                f"cannot write {path}: Parquet needs pyarrow ({error}): pip install 'tracker[parquet]'"
            ) from error
        check_output(path, inputs)
        if path.exists() and not path.is_file():
            raise SinkError(f"cannot write {path}: it is not a file; choose another name")
        self.path = path
        self._draft = path.with_name(f"{path.name}.part")
        self._rows: list[dict[str, Any]] = []
        self._pyarrow = pyarrow
        self._schema = _schema(pyarrow, made_by or {})
        with sink_errors(path):
            # Opened here, for pyarrow would take some names for addresses and connect to them.
            self._file = self._draft.open("wb")
            self._writer = pyarrow.parquet.ParquetWriter(self._file, self._schema, compression="zstd")
        self._failed = self._closed = False

    def write(self, result: FrameResult) -> None:
        """Append one row for each face of a frame, or one that says there was none."""
        height, width = result.image_hw
        frame = (result.source, result.index, round(result.time_s, 6), width, height)
        rows = [self._face_row(frame, face_record(face)) for face in result.faces]
        self._append(rows or [dict(zip(_COLUMNS, frame, strict=False))])

    def write_failure(self, failure: ReadFailure) -> None:
        """Append the row of an image that could not be read, with the reason as ``error``."""
        row = dict(zip(_COLUMNS, (failure.source, 0, 0.0, 0, 0), strict=False))
        self._append([{**row, "error": failure.message}])

    def close(self) -> None:
        """Write what is still held and give the file its name; closing twice is fine.

        After an error of :meth:`write` there is no file: what a group that broke off leaves cannot be
        trusted.
        """
        if self._closed:
            return
        self._closed = True
        with sink_errors(self.path):
            try:
                self._finish()
            finally:
                if self._failed:
                    self._draft.unlink(missing_ok=True)

    def _finish(self) -> None:
        if self._failed:
            with suppress(OSError, ValueError):  # it has been said, and the file goes
                self._writer.close()
                self._file.close()
            return
        self._flush()
        self._failed = True  # unless all of the following succeeds
        self._writer.close()
        self._file.close()
        self._draft.replace(self.path.resolve())
        self._failed = False

    def _face_row(self, frame: tuple[Any, ...], face: dict[str, Any]) -> dict[str, Any]:
        cells = (None if cell == "" else cell for cell in face_row(face))
        return dict(zip(_COLUMNS, (*frame, *cells, face.get("quality")), strict=False))

    def _append(self, rows: Iterable[dict[str, Any]]) -> None:
        self._rows += rows
        if len(self._rows) >= _ROWS:
            with sink_errors(self.path):
                self._flush()

    def _flush(self) -> None:
        """Write the rows that are held as one group."""
        rows, self._rows = self._rows, []
        if not rows:
            return
        self._failed = True  # unless all of the following succeeds
        columns = [
            self._pyarrow.array([_text(row.get(field.name)) for row in rows], field.type)
            for field in self._schema
        ]
        self._writer.write_table(self._pyarrow.Table.from_arrays(columns, schema=self._schema))
        self._failed = False


def _schema(pyarrow: Any, made_by: Mapping[str, Any]) -> Any:
    kinds = {name: pyarrow.int64() for name in _WHOLE}
    kinds |= {"source": pyarrow.string(), "error": pyarrow.string()}
    kinds["quality"] = pyarrow.list_(pyarrow.float64())
    always = ("source", "frame", "time_s", "width", "height")
    fields = [
        pyarrow.field(name, kinds.get(name, pyarrow.float64()), nullable=name not in always)
        for name in _COLUMNS
    ]
    return pyarrow.schema(fields, {METADATA_KEY: json.dumps(made_by, sort_keys=True).encode()})


def _text(value: Any) -> Any:
    """A file name that is no valid UTF-8 is written as escapes, as in the text files."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
