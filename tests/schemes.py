"""Symmetric mean faces of the shipped schemes, laid out by the data sets' figures."""

from __future__ import annotations

import numpy as np

from tests.tiny import template
from tracker.geometry import CropTransform
from tracker.scheme.ibug68 import PARTS
from tracker.scheme.shipped import SCHEMES
from tracker.scheme.value import Scheme, plain_scheme
from tracker.types import FloatArray

HAND = plain_scheme("hand", 21)
"""A scheme of which nothing but the number of points is known."""

ALL_SCHEMES: tuple[Scheme, ...] = (*SCHEMES.values(), HAND)


def mean_face(scheme: Scheme) -> FloatArray:
    """Return an upright face ``(P, 2)`` of the size of ``template()``; it is symmetric but for the hand."""
    laid = {"ibug68": template, "wflw98": _wflw, "jd106": _jd, "imm58": _imm, "five": _five}
    return laid[scheme.name]() if scheme.name in laid else _spiral(scheme.n_points)


def placed(scheme: Scheme, center: tuple[float, float], size: float, roll: float = 0.0) -> FloatArray:
    """Return the mean face of a head whose iBUG points have a box ``size`` pixels long around ``center``."""
    face = template()
    unit = (face.min(axis=0) + face.max(axis=0)) / 2
    cos, sin = np.cos(roll), np.sin(roll)
    points = (mean_face(scheme) - unit) / np.ptp(face, axis=0).max()
    return np.asarray(size * points @ np.array([[cos, sin], [-sin, cos]]) + np.asarray(center))


def in_crop(scheme: Scheme) -> FloatArray:
    """Return the mean face as in a well-placed crop, in crop pixels."""
    points = placed(scheme, (0.0, 0.0), 100.0)
    return CropTransform.from_points(points, scheme).to_crop(points)


def _along(points: FloatArray, count: int) -> FloatArray:
    """Return ``count`` points evenly spaced by number along a path."""
    at, numbers = np.linspace(0, len(points) - 1, count), np.arange(len(points))
    return np.column_stack([np.interp(at, numbers, points[:, i]) for i in (0, 1)])


def _ring(middle_x: float, count: int, half: tuple[float, float], middle_y: float) -> FloatArray:
    """Return a ring that runs clockwise on screen from its left end."""
    angles = np.pi + 2 * np.pi * np.arange(count) / count
    return np.column_stack([middle_x + half[0] * np.cos(angles), middle_y + half[1] * np.sin(angles)])


def _brow_ring(side: int) -> FloatArray:
    """Return a brow, its upper edge from left to right, its lower one back."""
    upper = template()[17:22] if side < 0 else template()[22:27]
    return np.concatenate([upper, _along(upper[::-1] + np.array([0, 0.04]), 4)])


def _wflw() -> FloatArray:
    face = template()
    left, right = (_ring(x, 8, (0.1, 0.05), -0.12) for x in (-0.25, 0.25))
    pupils = np.array([left.mean(axis=0), right.mean(axis=0)])
    brows = (_brow_ring(-1), _brow_ring(1))
    return np.concatenate([_along(face[:17], 33), *brows, face[27:36], left, right, face[48:68], pupils])


def _jd() -> FloatArray:
    face = template()
    left, right = (_ring(x, 8, (0.1, 0.05), -0.12) for x in (-0.25, 0.25))
    half = np.array([(-0.05, -0.08), (-0.08, 0.06), (-0.12, 0.14), (-0.1, 0.18), (-0.05, 0.2)])
    nose = np.concatenate([half, [(0, 0.21)], half[::-1] * (-1, 1)])
    pupils = np.array([left.mean(axis=0), right.mean(axis=0)])
    eyes = (left, pupils[:1], right, pupils[1:])
    pupils = pupils + np.array([0, 0.025])  # they look down
    brows = (_brow_ring(-1), _brow_ring(1))
    return np.concatenate([_along(face[:17], 33), *brows, face[27:31], nose, *eyes, face[48:68], pupils])


def _imm() -> FloatArray:
    face = template()
    left, lips = _ring(-0.25, 8, (0.1, 0.05), -0.12), _ring(0.0, 8, (0.2, 0.09), 0.36)
    brow = face[22:27]  # the right one, from its inner end
    half = np.array([(-0.05, -0.1), (-0.06, 0.05), (-0.11, 0.1), (-0.11, 0.17), (-0.06, 0.2)])
    nose = np.concatenate([half, [(0, 0.21)], half[::-1] * (-1, 1)])
    return np.concatenate(
        [_along(face[:17], 13), left * (-1, 1), left, brow, brow * (-1, 1), lips, nose]
    )  # fmt: skip


def _five() -> FloatArray:
    face = template()
    eyes = [face[list(PARTS[eye])].mean(axis=0) for eye in ("left_eye", "right_eye")]
    return np.stack([*eyes, face[30], face[48], face[54]])


def _spiral(count: int) -> FloatArray:
    turn, reach = np.linspace(0, 9, count), np.linspace(0.1, 0.5, count)
    return np.column_stack([reach * np.cos(turn), reach * np.sin(turn)])
