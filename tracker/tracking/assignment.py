"""Minimum-cost assignment of rows to columns: the Hungarian method in O(n^3)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tracker.types import FloatArray

IntArray = npt.NDArray[np.int64]


def assign(costs: FloatArray) -> list[int | None]:
    """Return the column of each row of ``costs`` ``(R, C)``, each column used once; None for no column.

    As many pairs of finite cost as possible are made, and of all ways to make so many the cheapest is taken.
    Costs are not negative; infinite ones forbid a pair.

    Shortest augmenting paths with potentials, as in R. Jonker, A. Volgenant, "A shortest augmenting path
    algorithm for dense and sparse linear assignment problems", Computing 38, 1987.
    """
    rows, columns = costs.shape
    if rows > columns:
        return _inverted(assign(costs.T), rows)
    finite = np.isfinite(costs)
    if not finite.any():
        return [None] * rows
    # A forbidden pair costs more than all others together, so that as few as possible are taken.
    forbidden = 1.0 + 2.0 * rows * float(costs[finite].max())
    pairs = _assign_all_rows(np.where(finite, costs, forbidden))
    return [column if finite[row, column] else None for row, column in enumerate(pairs)]


def _assign_all_rows(costs: FloatArray) -> list[int]:
    """Return the cheapest choice of one column for each row; there are at least as many columns as rows."""
    rows, columns = costs.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    owner = np.full(columns, -1)
    for start in range(rows):
        distance, previous = np.full(columns, math.inf), np.full(columns, -1)
        done = np.zeros(columns, bool)
        row, column, reached = start, -1, 0.0
        while row >= 0:
            through = reached + costs[row] - row_price[row] - column_price
            better = ~done & (through < distance)
            distance[better], previous[better] = through[better], column
            column = int(np.argmin(np.where(done, math.inf, distance)))
            reached, row = float(distance[column]), int(owner[column])
            done[column] = True
        row_price[start] += reached
        taken = done & (owner >= 0)
        row_price[owner[taken]] += reached - distance[taken]
        column_price[done] += distance[done] - reached
        _shift_along_path(owner, previous, column, start)
    of_row = np.empty(rows, int)
    of_row[owner[owner >= 0]] = np.flatnonzero(owner >= 0)
    return [int(column) for column in of_row]


def _shift_along_path(owner: IntArray, previous: IntArray, end: int, start: int) -> None:
    """Give each column of the path that ends in ``end`` to the row before it, the first one to ``start``."""
    while end >= 0:
        before = int(previous[end])
        owner[end] = owner[before] if before >= 0 else start
        end = before


def _inverted(of_column: Sequence[int | None], rows: int) -> list[int | None]:
    of_row: list[int | None] = [None] * rows
    for column, row in enumerate(of_column):
        if row is not None:
            of_row[row] = column
    return of_row
