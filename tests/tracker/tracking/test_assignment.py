"""Assignment: as cheap as the best of all ways."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tracker.tracking.assignment import assign
from tracker.types import FloatArray


def best_sum(costs: FloatArray) -> tuple[int, float]:
    """The largest number of finite pairs and their least sum, by trying all ways."""
    rows, columns = costs.shape
    best = (0, 0.0)
    padded = [*range(columns), *[None] * rows]
    for way in set(itertools.permutations(padded, rows)):
        pairs = [costs[r, c] for r, c in enumerate(way) if c is not None]
        if all(map(math.isfinite, pairs)):
            best = min(best, (-len(pairs), float(sum(pairs))))
    return -best[0], best[1]


cost_tables = st.tuples(st.integers(0, 3), st.integers(0, 3)).flatmap(
    lambda shape: hnp.arrays(
        np.float64, shape, elements=st.sampled_from([0.0, 0.25, 1.0, 1.5, 3.0, math.inf])
    )
)


@given(costs=cost_tables)
def test_an_assignment_is_as_cheap_as_the_best_of_all(costs: FloatArray) -> None:
    pairs = [(row, column) for row, column in enumerate(assign(costs)) if column is not None]
    assert len(assign(costs)) == len(costs)
    assert len({column for _, column in pairs}) == len(pairs)
    count, least = best_sum(costs)
    assert len(pairs) == count
    assert sum(costs[pair] for pair in pairs) == pytest.approx(least)


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (20, 31), (40, 40), (31, 20)])
def test_large_tables_are_assigned_as_scipy_does(rows: int, columns: int) -> None:
    optimize = pytest.importorskip("scipy.optimize")
    costs = np.random.default_rng(rows + columns).random((rows, columns))
    pairs = [(row, column) for row, column in enumerate(assign(costs)) if column is not None]
    assert len(pairs) == min(rows, columns)
    assert sum(costs[pair] for pair in pairs) == pytest.approx(
        costs[optimize.linear_sum_assignment(costs)].sum()
    )
