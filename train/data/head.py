"""Weak-perspective cameras of a rigid mean head, and completion of partly labelled faces with it.

Some data sets label only the visible half of a turned face. The mean head is fitted to the labelled points,
deformed until it passes through them, and projected: that gives every point a plausible place, from which the
crop is cut. Coordinates of the head are millimetres: x right, y down, z away from the camera.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import MIRROR, PARTS
from tracker.types import N_POINTS, FloatArray
from train.data.head_shape import HEAD_MM
from train.errors import DataError

_ROUNDS = 200
_MIN_POINTS = 4
_FIRST_YAWS_DEG = (-75.0, -40.0, 0.0, 40.0, 75.0)
_REACH_MM = 14.0
"""Standard deviation of the kernel that spreads a labelled point's displacement to its neighbours."""
_STILL = 0.15
"""Weight of no displacement, against that of labelled points; far points keep their mean place."""


def _trust() -> FloatArray:
    """Return the weight of each point in a camera's fit, ``(P,)``: the less a face moves it, the higher."""
    trust = np.ones(N_POINTS)
    trust[PARTS["jaw"]] = 0.3
    for part in ("left_brow", "right_brow", "outer_lip", "inner_lip"):
        trust[PARTS[part]] = 0.5
    trust[[*range(55, 60), *range(65, 68)]] = 0.1  # lower lip
    return trust


TRUST = _trust()
TRUST.setflags(write=False)


@dataclass(frozen=True, eq=False)
class Camera:
    """Weak-perspective cameras: ``scale * (head @ rotation.T)[:, :2] + shift`` gives pixels.

    ``scale`` ``(...)`` is in pixels per millimetre, ``rotation`` ``(..., 3, 3)``, ``shift`` ``(..., 2)``.
    """

    scale: FloatArray
    rotation: FloatArray
    shift: FloatArray

    def project(self, head: FloatArray) -> FloatArray:
        """Project ``head`` ``(..., N, 3)`` to ``(..., N, 2)`` pixels."""
        turned = head @ np.swapaxes(self.rotation, -1, -2)[..., :2]
        return np.asarray(self.scale[..., None, None] * turned + self.shift[..., None, :])

    @property
    def yaw_deg(self) -> FloatArray:
        """Yaw ``(...)``: longitude of the camera around the head, whatever the roll.

        It is positive when an upright face turns towards the right of the picture.
        """
        return np.degrees(np.arctan2(self.rotation[..., 2, 0], self.rotation[..., 2, 2]))


def fit_cameras(points: FloatArray, weights: FloatArray, head: FloatArray, first: FloatArray) -> Camera:
    """Fit one camera to each of the faces ``points`` ``(F, N, 2)`` by weighted least squares.

    ``weights`` is ``(F, N)``, ``head`` ``(N, 3)``, ``first`` the initial rotations ``(F, 3, 3)``. Depths are
    filled in from the current rotation and all is aligned again as two sets of points in space, which never
    raises the error (S. Umeyama, PAMI 13, 1991, in each round).
    """
    share = (weights / weights.sum(axis=1, keepdims=True))[..., None]
    middle = (share * points).sum(axis=1, keepdims=True)
    head_middle = (share * head).sum(axis=1, keepdims=True)
    seen, model = points - middle, head - head_middle
    extent = (share * model**2).sum(axis=(1, 2))
    rotation, scale = first, np.sqrt((share * seen**2).sum(axis=(1, 2)) / extent)
    for _ in range(_ROUNDS):
        depth = scale[:, None, None] * (model @ np.swapaxes(rotation, 1, 2)[..., 2:])
        solid = np.concatenate([seen, depth], axis=2)
        left, size, right = np.linalg.svd(np.swapaxes(share * solid, 1, 2) @ model)
        sign = np.ones_like(size)
        sign[:, 2] = np.sign(np.linalg.det(left @ right))
        rotation = (left * sign[:, None, :]) @ right
        scale = (size * sign).sum(axis=1) / extent
    shift = middle[:, 0] - scale[:, None] * (head_middle @ np.swapaxes(rotation, 1, 2))[:, 0, :2]
    return Camera(scale, rotation, shift)


def turned_about_y(yaw_deg: float) -> FloatArray:
    """Return the rotation ``(3, 3)`` of a face with this yaw, as in :attr:`Camera.yaw_deg`."""
    cos, sin = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    return np.array([[cos, 0.0, -sin], [0.0, 1.0, 0.0], [sin, 0.0, cos]])


def fit_camera(points: FloatArray, known: npt.NDArray[np.bool_]) -> Camera:
    """Fit a camera of the mean head to the ``known`` ones of ``points`` ``(P, 2)``: best of several starts.

    Raises :class:`DataError` for less than four known points.
    """
    if known.sum() < _MIN_POINTS:
        raise DataError(f"a head is placed by {_MIN_POINTS} points or more, got {known.sum()}")
    seen, weights = points[known], TRUST[known]
    first = np.stack([_rolled(turned_about_y(yaw), seen, weights, HEAD_MM[known]) for yaw in _FIRST_YAWS_DEG])
    count = len(first)
    found = fit_cameras(np.tile(seen, (count, 1, 1)), np.tile(weights, (count, 1)), HEAD_MM[known], first)
    error = (weights * ((found.project(HEAD_MM[known]) - seen) ** 2).sum(axis=2)).sum(axis=1)
    best = int(error.argmin())
    return Camera(found.scale[best], found.rotation[best], found.shift[best])


def _rolled(rotation: FloatArray, seen: FloatArray, weights: FloatArray, head: FloatArray) -> FloatArray:
    """Return ``rotation`` turned in the picture's plane until the head lies over the points ``seen`` best."""
    share = (weights / weights.sum())[:, None]
    flat = head @ rotation.T[:, :2]
    flat, seen = flat - (share * flat).sum(axis=0), seen - (share * seen).sum(axis=0)
    angle = np.arctan2(
        (share * (flat[:, :1] * seen[:, 1:] - flat[:, 1:] * seen[:, :1])).sum(), (share * flat * seen).sum()
    )
    cos, sin = np.cos(angle), np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]]) @ rotation


def complete(points: FloatArray, known: npt.NDArray[np.bool_]) -> FloatArray:
    """Return ``points`` ``(P, 2)`` with plausible places for those that are not ``known`` ``(P,)``.

    Known points stay exactly where they are. The mean head is displaced in the picture's plane to meet them;
    each displacement also moves the mirrored point of the head, and, less with distance, its neighbours.
    Raises :class:`DataError` for less than four known points.
    """
    camera = fit_camera(points, known)
    missing = (points[known] - camera.project(HEAD_MM[known])) / camera.scale
    moved = np.full((N_POINTS, 3), np.nan)
    moved[known] = missing @ camera.rotation[:2]
    mirrored = moved[MIRROR] * (-1, 1, 1)
    moved = np.where(np.isnan(moved), mirrored, moved)
    there = ~np.isnan(moved).any(axis=1)
    near = np.exp(-0.5 * (_distances(HEAD_MM, HEAD_MM[there]) / _REACH_MM) ** 2)
    spread = near @ moved[there] / (near.sum(axis=1, keepdims=True) + _STILL)
    moved = np.where(there[:, None], moved, spread)
    found = camera.project(HEAD_MM + moved)
    return np.where(known[:, None], points, found)


def _distances(some: FloatArray, others: FloatArray) -> FloatArray:
    return np.asarray(np.linalg.norm(some[:, None] - others[None], axis=2))
