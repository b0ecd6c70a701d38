"""Landmark scheme with the 98 points of WFLW.

Points are numbered from 0. W. Wu et al., "Look at Boundary: A Boundary-Aware Face Alignment Algorithm", CVPR
2018, with a figure of the points.
"""

from __future__ import annotations

from tracker.scheme.value import Measured, Scheme, Upright, chain, interned

_PARTS = {
    "jaw": range(0, 33),
    "left_brow": range(33, 42),
    "right_brow": range(42, 51),
    "nose_bridge": range(51, 55),
    "nose_base": range(55, 60),
    "left_eye": range(60, 68),
    "right_eye": range(68, 76),
    "outer_lip": range(76, 88),
    "inner_lip": range(88, 96),
}
_RINGS = ("left_brow", "right_brow", "left_eye", "right_eye", "outer_lip", "inner_lip")

_NOSE_AND_EYES = (*range(51, 60), 60, 64, 68, 72)

WFLW98 = interned(
    Scheme(
        name="wflw98",
        n_points=98,
        parts={name: tuple(points) for name, points in _PARTS.items()},
        closed=frozenset(_RINGS[2:]),  # brows are rings, too, but move like brows
        edges=tuple(edge for name, points in _PARTS.items() for edge in chain(points, name in _RINGS)),
        mirror=(
            *range(32, -1, -1),
            *(46, 45, 44, 43, 42, 50, 49, 48, 47),  # left brow: its upper edge, then its lower one
            *(37, 36, 35, 34, 33, 41, 40, 39, 38),
            *(51, 52, 53, 54, 59, 58, 57, 56, 55),
            *(72, 71, 70, 69, 68, 75, 74, 73),
            *(64, 63, 62, 61, 60, 67, 66, 65),
            *(82, 81, 80, 79, 78, 77, 76, 87, 86, 85, 84, 83),
            *(92, 91, 90, 89, 88, 95, 94, 93),
            *(97, 96),  # pupils
        ),
        normaliser=(60, 72),
        upright=Upright(tuple(_PARTS["left_eye"]), tuple(_PARTS["right_eye"]), mouth=(76, 82)),
        steady=(*_NOSE_AND_EYES, *range(9), *range(24, 33)),
        measured=Measured(
            # Without the middles of the lids, so that the ratios are those of iBUG's six points.
            left_eye=(60, 61, 63, 64, 65, 67),
            right_eye=(68, 69, 71, 72, 73, 75),
            mouth=tuple(_PARTS["inner_lip"]),
            pose=tuple(zip(_NOSE_AND_EYES, (*range(27, 36), 36, 39, 42, 45), strict=True)),
        ),
    )
)
"""WFLW's points; the last two are the pupils."""
