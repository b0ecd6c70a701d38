"""Landmark scheme with 68 points of iBUG 300-W: parts of the face, edges, mirror order.

Points are numbered from 0; the papers count from 1. "Left" and "right" are as seen in the picture.
Source: C. Sagonas et al., "300 Faces In-The-Wild Challenge", Image and Vision Computing 47, 2016.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from tracker.scheme.value import HEAD_POINTS, Measured, Scheme, Upright, interned

N_POINTS = 68
"""Landmarks of a face."""

PARTS: Mapping[str, range] = MappingProxyType(
    {
        "jaw": range(0, 17),
        "left_brow": range(17, 22),
        "right_brow": range(22, 27),
        "nose_bridge": range(27, 31),
        "nose_base": range(31, 36),
        "left_eye": range(36, 42),
        "right_eye": range(42, 48),
        "outer_lip": range(48, 60),
        "inner_lip": range(60, 68),
    }
)
"""Parts of the face as ranges of point numbers, which cover all 68 points once."""

CLOSED_PARTS = frozenset({"left_eye", "right_eye", "outer_lip", "inner_lip"})
"""Parts whose last point is joined to the first."""

OUTER_EYE_CORNERS = (36, 45)
"""Points between which the inter-ocular distance of the NME is taken (37 and 46 counted from 1)."""


def _chain(part: str) -> Iterable[tuple[int, int]]:
    points = list(PARTS[part])
    yield from itertools.pairwise(points)
    if part in CLOSED_PARTS:
        yield points[-1], points[0]


EDGES: tuple[tuple[int, int], ...] = tuple(edge for part in PARTS for edge in _chain(part))
"""Pairs of points that are joined in a drawing of contours."""

# fmt: off
MIRROR: npt.NDArray[np.intp] = np.array([
    *range(16, -1, -1),                       # jaw
    *range(26, 16, -1),                       # brows
    27, 28, 29, 30, 35, 34, 33, 32, 31,       # nose
    45, 44, 43, 42, 47, 46,                   # left eye  <- right eye
    39, 38, 37, 36, 41, 40,                   # right eye <- left eye
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,   # outer lip
    64, 63, 62, 61, 60, 67, 66, 65,                   # inner lip
], dtype=np.intp)
# fmt: on
MIRROR.setflags(write=False)
"""Permutation, its own inverse: ``points[MIRROR]`` brings the points of a mirrored face in order."""

# Delaunay triangulation of the mean 300-W training face, made symmetric; eyes and mouth stay open.
# fmt: off
_LEFT_STRUTS = (
    (0, 17), (0, 36), (1, 36), (1, 41), (2, 31), (2, 41), (3, 31), (3, 48), (4, 48), (5, 48),
    (5, 59), (6, 58), (6, 59), (7, 58), (8, 57), (8, 58), (17, 36), (18, 36), (18, 37), (19, 37),
    (20, 37), (20, 38), (21, 22), (21, 27), (21, 38), (21, 39), (27, 39), (28, 39), (29, 31), (29, 39),
    (29, 40), (30, 31), (30, 32), (30, 33), (31, 40), (31, 41), (31, 48), (31, 49), (32, 49), (32, 50),
    (33, 50), (33, 51), (48, 60), (49, 60), (49, 61), (50, 61), (51, 61), (51, 62), (57, 66), (58, 66),
    (58, 67), (59, 60), (59, 67),
)
# fmt: on


def _mesh() -> Iterable[tuple[int, int]]:
    for start, end in (*EDGES, *_LEFT_STRUTS):
        for pair in ((start, end), (int(MIRROR[start]), int(MIRROR[end]))):
            yield min(pair), max(pair)


MESH: tuple[tuple[int, int], ...] = tuple(sorted(set(_mesh())))
"""Pairs of points that are joined in a drawing of triangles; they include :data:`EDGES`."""

IBUG68 = interned(
    Scheme(
        name="ibug68",
        n_points=N_POINTS,
        parts={name: tuple(points) for name, points in PARTS.items()},
        closed=CLOSED_PARTS,
        edges=EDGES,
        mesh=MESH,
        mirror=tuple(MIRROR.tolist()),
        normaliser=OUTER_EYE_CORNERS,
        upright=Upright(tuple(PARTS["left_eye"]), tuple(PARTS["right_eye"]), mouth=(48, 54)),
        # Mouth and eyelids do not move the nose, the corners of the eyes and the contour above the mouth.
        steady=(*PARTS["nose_bridge"], *PARTS["nose_base"], 36, 39, 42, 45, *range(5), *range(12, 17)),
        measured=Measured(
            left_eye=tuple(PARTS["left_eye"]),
            right_eye=tuple(PARTS["right_eye"]),
            mouth=tuple(PARTS["inner_lip"]),
            pose=tuple((point, point) for point in HEAD_POINTS),
        ),
    )
)
"""The scheme of the shipped models."""
