"""Reader of the log of a training run."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from train.errors import DataError
from train.metrics import Float64Array

Log = Mapping[str, Float64Array]
"""Column name to its values, one an epoch; ``epoch`` is one of the columns."""


def read_log(path: Path) -> Log:
    """Read a ``log.csv``.

    Raises :class:`DataError`, with file and line, if it is not a training log.
    """
    try:
        rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    if len(rows) < 2 or not {"epoch", "loss"} <= set(rows[0]):
        raise DataError(f"{path}: not a training log: it needs columns epoch and loss, and a row")
    values = []
    for number, row in enumerate(rows[1:], 2):
        try:
            values.append([float(cell) for cell in row])
        except ValueError as error:
            raise DataError(f"{path}:{number}: {error}") from error
        if len(row) != len(rows[0]):
            raise DataError(f"{path}:{number}: expected {len(rows[0])} columns, got {len(row)}")
    columns = np.array(values, np.float64).T
    return dict(zip(rows[0], columns, strict=True))
