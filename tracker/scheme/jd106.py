"""Landmark scheme with the 106 points of JD's LaPa data set and landmark challenge.

Points are numbered from 0. Y. Liu et al., "A New Dataset and Boundary-Attention Semantic Segmentation for
Face Parsing", AAAI 2020. The numbers of parts, and the pairs of mirrored points, are those of the data set's
published description in MMPose (``configs/_base_/datasets/lapa.py``). InsightFace's own models put 106 points
in another order: a scheme of one's own describes that.

That description does not tell where on the nose its points lie, so no pose is measured on them.
"""

from __future__ import annotations

from tracker.scheme.value import Measured, Scheme, Upright, chain, interned

_PARTS = {
    "jaw": range(0, 33),
    "left_brow": range(33, 42),
    "right_brow": range(42, 51),
    "nose_bridge": range(51, 55),
    "nose_base": range(55, 66),
    "left_eye": range(66, 74),
    "right_eye": range(75, 83),
    "outer_lip": range(84, 96),
    "inner_lip": range(96, 104),
}
_RINGS = ("left_brow", "right_brow", "left_eye", "right_eye", "outer_lip", "inner_lip")

JD106 = interned(
    Scheme(
        name="jd106",
        n_points=106,
        parts={name: tuple(points) for name, points in _PARTS.items()},
        closed=frozenset(_RINGS[2:]),  # brows are rings, too, but move like brows
        edges=tuple(edge for name, points in _PARTS.items() for edge in chain(points, name in _RINGS)),
        mirror=(
            *range(32, -1, -1),
            *(46, 45, 44, 43, 42, 50, 49, 48, 47),  # left brow: its upper edge, then its lower one
            *(37, 36, 35, 34, 33, 41, 40, 39, 38),
            *(51, 52, 53, 54, *range(65, 54, -1)),
            *(79, 78, 77, 76, 75, 82, 81, 80, 83),  # left eye, and its centre
            *(70, 69, 68, 67, 66, 73, 72, 71, 74),
            *(90, 89, 88, 87, 86, 85, 84, 95, 94, 93, 92, 91),
            *(100, 99, 98, 97, 96, 103, 102, 101),
            *(105, 104),  # pupils
        ),
        normaliser=(66, 79),
        upright=Upright(tuple(_PARTS["left_eye"]), tuple(_PARTS["right_eye"]), mouth=(84, 90)),
        steady=(*range(51, 66), 66, 70, 75, 79, *range(9), *range(24, 33)),
        measured=Measured(
            # Without the middles of the lids, so that the ratios are those of iBUG's six points.
            left_eye=(66, 67, 69, 70, 71, 73),
            right_eye=(75, 76, 78, 79, 80, 82),
            mouth=tuple(_PARTS["inner_lip"]),
        ),
    )
)
"""LaPa's points."""
