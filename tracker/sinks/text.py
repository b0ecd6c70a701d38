"""Base classes of text outputs: line by line, and CSV tables."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from tracker.errors import SinkError
from tracker.system.closing import Closing
from tracker.system.files import TextFile, check_output, guarded_write
from tracker.system.stdout import StandardOutput

Cell = str | int | float | None
"""A cell of a table; None is written as an empty cell."""


class TextSink(Closing):
    """UTF-8 text that is written whole lines at a time, so that an interrupted run keeps its results.

    With ``append`` new lines follow the existing ones. Raises :class:`~tracker.errors.SinkError` when
    ``target`` is one of ``inputs`` or cannot be opened, written or closed.
    """

    def __init__(
        self, target: Path | StandardOutput, inputs: Iterable[Path] = (), append: bool = False
    ) -> None:
        self.target = target
        if isinstance(target, StandardOutput):
            self._file: TextFile | StandardOutput = target
            return
        check_output(target, inputs)
        with guarded_write(target):
            self._file = TextFile(target, append)

    def close(self) -> None:
        """Close the file; closing twice is fine."""
        with guarded_write(str(self.target)):
            self._file.close()

    def _write(self, text: str) -> None:
        """Write ``text``, one or more whole lines, to the file at once."""
        with guarded_write(str(self.target)):
            self._file.write(text)
            self._file.flush()


class TableSink(TextSink):
    """CSV with a header; the rows of a frame are written together.

    Raises :class:`~tracker.errors.SinkError` as :class:`TextSink` does.
    """

    def __init__(self, path: Path, header: Sequence[str], inputs: Iterable[Path] = ()) -> None:
        super().__init__(path, inputs)
        self._writer = csv.writer(self._file, lineterminator="\n")
        try:
            self._write_rows([header])
        except SinkError:
            self.close()
            raise

    def _write_rows(self, rows: Iterable[Iterable[Cell]]) -> None:
        with guarded_write(str(self.target)):
            self._writer.writerows(rows)
            self._file.flush()
