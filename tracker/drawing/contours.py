"""Contours and mesh of a scheme as paths of lines."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from tracker.drawing.strokes import Polyline
from tracker.scheme.value import Scheme

Paths = tuple[slice | npt.NDArray[np.intp], tuple[Polyline, ...]]
"""Order in which to take the points of a face, and the paths over them."""


@lru_cache(maxsize=16)
def contours_of(scheme: Scheme) -> Paths:
    """Return the edges of ``scheme`` as paths: an edge that begins where the one before ends continues it."""
    order: list[int] = []
    paths: list[Polyline] = []
    start, closed = 0, True
    for first, second in scheme.edges:
        if closed or order[-1] != first:
            start, closed = len(order), False
            order.append(first)
            paths.append((start, start + 1, False))
        if closed := second == order[start]:
            paths[-1] = (start, len(order), True)
        else:
            order.append(second)
            paths[-1] = (start, len(order), False)
    is_plain = order == list(range(len(order)))  # a slice of the points is no copy
    return (slice(len(order)) if is_plain else np.array(order, np.intp)), tuple(paths)


@lru_cache(maxsize=16)
def mesh_of(scheme: Scheme) -> Paths:
    """Return the triangles of ``scheme`` as paths of one line each; its edges if it has none."""
    order = np.array(scheme.mesh or scheme.edges, np.intp).reshape(-1)  # both ends of each line in turn
    return order, tuple((start, start + 2, False) for start in range(0, len(order), 2))
