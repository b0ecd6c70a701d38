"""Landmark scheme with the 58 points of the IMM Face Database.

Points are numbered from 0. M. M. Nordstroem et al., "The IMM Face Database: An Annotated Dataset of 240 Face
Images", Technical University of Denmark, 2004, with a figure of the points.
"""

from __future__ import annotations

from tracker.scheme.value import Measured, Scheme, Upright, chain, interned

_PARTS = {
    "jaw": range(0, 13),
    "right_eye": range(13, 21),
    "left_eye": range(21, 29),
    "right_brow": range(29, 34),
    "left_brow": range(34, 39),
    "mouth": range(39, 47),
    "nose": range(47, 58),
}
_CLOSED = frozenset({"right_eye", "left_eye", "mouth"})

IMM58 = interned(
    Scheme(
        name="imm58",
        n_points=58,
        parts={name: tuple(points) for name, points in _PARTS.items()},
        closed=_CLOSED,
        edges=tuple(edge for name, points in _PARTS.items() for edge in chain(points, name in _CLOSED)),
        mirror=(
            *range(12, -1, -1),
            *range(21, 29),  # both eyes start at their outer corner, both brows at their inner end
            *range(13, 21),
            *range(34, 39),
            *range(29, 34),
            *(43, 42, 41, 40, 39, 46, 45, 44),
            *range(57, 46, -1),
        ),
        normaliser=(21, 13),
        upright=Upright(tuple(_PARTS["left_eye"]), tuple(_PARTS["right_eye"]), mouth=(39, 43)),
        steady=(*_PARTS["nose"], 13, 17, 21, 25, 0, 1, 2, 10, 11, 12),
        measured=Measured(
            # Without the middles of the lids, as in iBUG's six points. The mouth is its outer contour, on
            # which a closed mouth is not flat: its opening is not measured. Neither is the pose: without the
            # bridge and the tip of the nose the points are almost flat, and do not tell the pitch.
            left_eye=(21, 22, 24, 25, 26, 28),
            right_eye=(13, 14, 16, 17, 18, 20),
        ),
    )
)
"""IMM's points."""
