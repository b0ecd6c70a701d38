"""Base classes of text outputs: line by line, and CSV tables."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tracker.errors import SinkError
from tracker.sinks.sink import Sink
from tracker.system.files import TextFile, check_output, guarded_write
from tracker.system.stdout import StandardOutput
from tracker.system.terminal import without_controls

Cell = str | int | float | None
"""A cell of a table; None is written as an empty cell."""


class TextSink(Sink):
    """UTF-8 text that is written whole lines at a time, so that an interrupted run keeps its results.

    With ``append`` new lines follow the existing ones. Raises :class:`~tracker.errors.SinkError` when
    ``target`` is one of ``inputs`` or cannot be opened, written or closed.
    """

    def __init__(
        self, target: Path | str | StandardOutput, inputs: Iterable[Path] = (), append: bool = False
    ) -> None:
        if isinstance(target, StandardOutput):
            self.target: Path | StandardOutput = target
            self._file: TextFile | StandardOutput = target
            return
        self.target = target = Path(target)
        check_output(target, inputs, may_be_pipe=True)
        with guarded_write(target):
            self._file = TextFile(target, append)

    def _close(self) -> None:
        """Close the file."""
        with guarded_write(str(self.target)):
            self._file.close()

    def _write(self, text: str) -> None:
        """Write ``text``, one or more whole lines, to the file at once."""
        with guarded_write(str(self.target)):
            self._file.write(text)
            self._file.flush()


_FORMULA = re.compile(r"'*[=+\-@]")
"""Beginning of text that a spreadsheet would run as a formula, after any number of quotes."""


def safe_cell(cell: Cell) -> Cell:
    r"""Return ``cell`` as it is written to a table; numbers stay as they are.

    Spreadsheets run text that begins with one of ``= + - @`` as a formula: it gets a single quote before it
    (OWASP, CSV Injection). Control characters become escapes such as ``\x1b``, among them tab and carriage
    return, which OWASP names too.
    """
    if not isinstance(cell, str):
        return cell
    text = without_controls(cell)
    return f"'{text}" if _FORMULA.match(text) else text


def read_cell(text: str) -> str:
    """Return the text of a cell without the quote that :func:`safe_cell` put before it."""
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


class TableSink(TextSink):
    """CSV with a header; the rows of a frame are written together, text by :func:`safe_cell`.

    Raises :class:`~tracker.errors.SinkError` as :class:`TextSink` does.
    """

    def __init__(self, path: Path | str, header: Sequence[str], inputs: Iterable[Path] = ()) -> None:
        super().__init__(path, inputs)
        self._writer = csv.writer(self._file, lineterminator="\n")
        try:
            self._write_rows([header])
        except SinkError:
            self.close()
            raise

    def _write_rows(self, rows: Iterable[Iterable[Cell]]) -> None:
        with guarded_write(str(self.target)):
            self._writer.writerows(map(safe_cell, row) for row in rows)
            self._file.flush()
