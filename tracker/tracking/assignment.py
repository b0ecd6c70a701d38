"""Minimum-cost assignment of a few rows to a few columns."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tracker.types import FloatArray

_TINY = 1e-12


def assign(costs: FloatArray) -> list[int | None]:
    """Return the column of each row of ``costs`` ``(R, C)``, each column used once; None for no column.

    As many pairs of finite cost as possible are made, and of all ways to make so many the cheapest is taken.

    Shortest augmenting paths, as in R. Jonker, A. Volgenant, "A shortest augmenting path algorithm for
    dense and sparse linear assignment problems", Computing 38, 1987, in the plain form: paths are searched by
    Bellman and Ford's method, since there is only a handful of faces.
    """
    rows, columns = costs.shape
    of_row: list[int | None] = [None] * rows
    of_column: list[int | None] = [None] * columns
    while True:
        path = _cheapest_path(costs, of_row, of_column)
        if path is None:
            return of_row
        for row, column in path:
            of_row[row], of_column[column] = column, row


def _cheapest_path(
    costs: FloatArray, of_row: Sequence[int | None], of_column: Sequence[int | None]
) -> list[tuple[int, int]] | None:
    """Return the pairs to make so that one more row has a column at the least additional cost.

    None if no further row can have one.
    """
    rows, columns = costs.shape
    reach = [0.0 if of_row[row] is None else math.inf for row in range(rows)]
    total, comes_from = [math.inf] * columns, [-1] * columns
    for _ in range(rows):
        for row, column in np.ndindex(rows, columns):
            cost = reach[row] + costs[row, column]
            if of_row[row] != column and cost < total[column] - _TINY:
                total[column], comes_from[column] = cost, row
                owner = of_column[column]
                if owner is not None:
                    reach[owner] = cost - costs[owner, column]
    free = [column for column in range(columns) if of_column[column] is None and total[column] < math.inf]
    if not free:
        return None
    path, place = [], min(free, key=lambda column: total[column])
    while True:
        row = comes_from[place]
        path.append((row, place))
        previous = of_row[row]
        if previous is None:
            return path
        place = previous
