"""Log of a training run as CSV: one row for the network before training, and one an epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tracker.scheme.decimals import decimal
from train.data.tables import csv_rows
from train.errors import DataError
from train.files import replace
from train.metrics import Float64Array

NAN = float("nan")
_NOT_FINITE = ("nan", "inf", "-inf")

Row = Mapping[str, float]
"""One row of the log, by column."""

Log = Mapping[str, Float64Array]
"""Column name to its values, one an epoch; ``epoch`` is one of the columns."""


class Validation(NamedTuple):
    """Means of a network over the validation pictures; NaN where there are none.

    ``error`` is in the task's unit; ``presence`` is the mean presence, NaN for a network that does not
    predict it; ``loss`` and its ``terms`` are as in training, on plain crops.
    """

    error: float = NAN
    presence: float = NAN
    loss: float = NAN
    terms: Mapping[str, float] = {}


@dataclass(frozen=True)
class EpochReport:
    """Results after ``epoch`` epochs on crops of ``size`` pixels; epoch 0 is the network before training.

    ``lr`` is the learning rate of the last step, ``loss`` and ``terms`` are means over the epoch and all
    devices, of the weights as they were at each step; ``validation`` is of the averaged weights at its end.
    ``images_per_s`` counts training only, ``elapsed_s`` all of the run, resumed parts included.
    """

    epoch: int
    size: int
    validation: Validation
    lr: float = NAN
    loss: float = NAN
    terms: Mapping[str, float] = field(default_factory=dict)
    images_per_s: float = NAN
    elapsed_s: float = 0.0

    def row(self) -> dict[str, float]:
        """Return the row of the log."""
        held_out = self.validation
        return {
            "epoch": self.epoch,
            "size": self.size,
            "lr": self.lr,
            "loss": self.loss,
            "validation_loss": held_out.loss,
            **{f"loss_{name}": value for name, value in self.terms.items()},
            **{f"validation_loss_{name}": value for name, value in held_out.terms.items()},
            "validation_error": held_out.error,
            "validation_presence": held_out.presence,
            "images_per_s": self.images_per_s,
            "elapsed_s": self.elapsed_s,
        }


def write_log(path: Path, rows: Sequence[Row]) -> None:
    """Replace the log ``path`` by ``rows``, at least one; a value that a row lacks is NaN.

    Raises :class:`~train.errors.RunError` if it cannot be written.
    """
    columns = max(rows, key=len)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([f"{row.get(name, NAN):.6g}" for name in columns] for row in rows)
    replace(path, text.getvalue().encode())


def read_log(path: Path) -> Log:
    """Read a ``log.csv`` that :func:`write_log` wrote.

    Raises :class:`DataError`, with file and line, if it is not a training log.
    """
    rows = csv_rows(path)
    if len(rows) < 2 or not {"epoch", "loss"} <= set(header := rows[0][1]):
        raise DataError(f"{path}: not a training log: it needs columns epoch and loss, and a row")
    values = []
    for number, row in rows[1:]:
        try:
            values.append([float(cell) if cell in _NOT_FINITE else decimal(cell) for cell in row])
        except ValueError as error:
            raise DataError(f"{path}:{number}: {error}") from error
        if len(row) != len(header):
            raise DataError(f"{path}:{number}: expected {len(header)} columns, got {len(row)}")
    columns = np.array(values, np.float64).T
    return dict(zip(header, columns, strict=True))
