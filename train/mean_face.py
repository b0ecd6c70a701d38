"""The mean shape of a face in three dimensions, from landmarks of many people in two.

Each face is taken for a turned, scaled copy of one rigid shape seen from far away (weak perspective). What is
left over, expressions and identity, is noise to the shape. The jaw takes no part in finding poses: its labels
follow the outline that is seen, which is another line of the head in each pose. C. Tomasi and T. Kanade,
"Shape and Motion from Image Streams under Orthography", IJCV 9, 1992, gives the start; alternating least
squares refines it. Every face also counts mirrored, which makes the shape symmetric.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracker.scheme import MIRROR, OUTER_EYE_CORNERS, PARTS
from tracker.types import N_POINTS, FloatArray
from train.errors import DataError

Float64Array = npt.NDArray[np.float64]

EYE_TO_EYE_MM = 89.0
"""Distance of the outer eye corners of adults, women 86.8 mm, men 91.2 mm: L. G. Farkas, "Anthropometry of
the Head and Face", 1994."""

NOSE_TIP = 30
FEWEST = 50
_ROUNDS = 60
_MOUTH_CORNERS = (48, 54)
_INNER = slice(PARTS["jaw"].stop, N_POINTS)
_LEAST_DEPTH = 0.02
"""Depth is the third singular value: a fifth of the first in photographs of people, nothing in flat faces."""


def mean_face(faces: FloatArray) -> Float64Array:
    """``(68, 3)`` millimetres of ``faces`` ``(N, 68, 2)`` in pixels: x to the viewer's right, y down, z away.

    The tip of the nose is the origin. The face looks straight at the viewer: outer eye corners and mouth
    corners have one depth. Raises :class:`~train.errors.DataError` for fewer than :data:`FEWEST` faces, and
    if these are too much alike to tell depth.
    """
    if len(faces) < FEWEST:
        raise DataError(f"the mean face needs at least {FEWEST} faces, got {len(faces)}")
    mirrored = faces[:, MIRROR] * (-1.0, 1.0)
    seen = _normalised(np.concatenate([faces, mirrored]).astype(np.float64))
    shape = _start(seen)
    for _ in range(_ROUNDS):
        shape = _refined(shape[:, _INNER], seen)
    return _placed(shape.T)


def weak_pose(shape: FloatArray, points: FloatArray) -> tuple[Float64Array, Float64Array]:
    """Scales ``(N,)`` and the first two rows ``(N, 2, 3)`` of the rotations that map ``shape`` ``(P, 3)``,
    centred, onto ``points`` ``(N, P, 2)``, centred: the nearest to the affine least-squares answer."""
    affine = points.transpose(0, 2, 1) @ np.linalg.pinv(shape.T)
    u, scales, v = np.linalg.svd(affine, full_matrices=False)
    return scales.mean(axis=1), u @ v


def _normalised(points: Float64Array) -> Float64Array:
    """Each face around the middle of its inner points and of one size: a near one counts like a far one."""
    centred = points - points[:, _INNER].mean(axis=1, keepdims=True)
    return np.asarray(centred / np.sqrt((centred**2).mean(axis=(1, 2), keepdims=True)))


def _start(seen: Float64Array) -> Float64Array:
    """``(3, 68)``: the factorisation, up to a turn, made metric by rows of rotations being orthonormal."""
    stacked = seen.transpose(0, 2, 1).reshape(-1, N_POINTS)
    stacked = np.where(np.arange(N_POINTS) < _INNER.start, 0.0, stacked)
    u, s, v = np.linalg.svd(stacked, full_matrices=False)
    if s[2] < _LEAST_DEPTH * s[0]:
        raise DataError("these faces do not turn enough to tell depth: give more, of more poses")
    motion, shape = u[:, :3] * np.sqrt(len(seen)), s[:3, None] * v[:3] / np.sqrt(len(seen))
    a, b = motion[0::2], motion[1::2]
    equations = np.concatenate([_products(a, a) - _products(b, b), _products(a, b)])
    size = (_products(a, a) + _products(b, b)).mean(axis=0, keepdims=True) / 2
    # The mean size is no equation among thousands: it only keeps the answer from being zero.
    weight = float(len(equations))
    right = np.append(np.zeros(len(equations)), weight)
    upper = np.linalg.lstsq(np.concatenate([equations, weight * size]), right, rcond=None)[0]
    metric = np.empty((3, 3))
    metric[*np.triu_indices(3)] = upper
    metric.T[*np.triu_indices(3)] = upper
    values, vectors = np.linalg.eigh(metric)
    if values[0] <= 0:
        raise DataError("no rigid face casts these shapes: are they faces?")
    return np.asarray(np.linalg.inv(vectors * np.sqrt(values)) @ shape)


def _products(u: Float64Array, v: Float64Array) -> Float64Array:
    """Coefficients ``(N, 6)`` of a symmetric matrix Q, upper triangle, in each ``u Q v``."""
    rows, columns = np.triu_indices(3)
    both = u[:, rows] * v[:, columns] + u[:, columns] * v[:, rows]
    return np.where(rows == columns, both / 2, both)


def _refined(inner: Float64Array, seen: Float64Array) -> Float64Array:
    """Poses of all faces for their ``inner`` shape ``(3, 51)``, then the shape that suits them best."""
    scales, turns = weak_pose(inner.T, seen[:, _INNER])
    motion = (scales[:, None, None] * turns).reshape(-1, 3)
    stacked = seen.transpose(0, 2, 1).reshape(-1, N_POINTS)
    found = np.linalg.lstsq(motion, stacked, rcond=None)[0]
    return np.asarray(found - found[:, _INNER].mean(axis=1, keepdims=True))


def _placed(shape: Float64Array) -> Float64Array:
    """``(68, 3)`` that looks at the viewer, in millimetres from the tip of the nose, exactly symmetric."""
    left, right = (shape[list(PARTS[eye])].mean(axis=0) for eye in ("left_eye", "right_eye"))
    eyes = shape[list(OUTER_EYE_CORNERS)].mean(axis=0)
    mouth = shape[list(_MOUTH_CORNERS)].mean(axis=0)
    x = (right - left) / np.linalg.norm(right - left)
    y = (mouth - eyes) - x * (x @ (mouth - eyes))
    y /= np.linalg.norm(y)
    turned = (shape - shape[NOSE_TIP]) @ np.column_stack([x, y, np.cross(x, y)])
    if turned[list(OUTER_EYE_CORNERS), 2].mean() < 0:
        turned[:, 2] *= -1  # seen from far away, near and far look alike: but noses stick out
    turned = (turned + turned[MIRROR] * (-1.0, 1.0, 1.0)) / 2
    a, b = OUTER_EYE_CORNERS
    return np.asarray(turned * EYE_TO_EYE_MM / np.linalg.norm(turned[a] - turned[b]))
