"""Derivation of the mean head of train/data/head_shape.py from labelled faces.

Rigid structure from motion: C. Tomasi and T. Kanade, "Shape and Motion from Image Streams under Orthography",
IJCV 9, 1992, as alternating least squares, so that faces with few labelled points count as well, and robust,
since faces are not rigid.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tracker.geometry import mirror_points
from tracker.scheme.ibug68 import MIRROR, OUTER_EYE_CORNERS, PARTS
from tracker.types import N_POINTS, FloatArray
from train.data.faces import GUESSED, LabelledFace
from train.data.head import TRUST, Camera, fit_cameras, turned_about_y
from train.data.head_shape import HEAD_MM

EYES_APART_MM = 90.0

_ROUNDS = 20
_USUAL_MM = 6.0
"""Faces whose points lie further from the head count less."""
_SILHOUETTE_DEG = 15.0
"""From this yaw on, jaws of fully labelled faces lie on the silhouette rather than on the jaw."""
_JAW = list(PARTS["jaw"])


def mean_head(faces: Sequence[LabelledFace], first: FloatArray = HEAD_MM) -> FloatArray:
    """Return the symmetric head ``(P, 3)`` in millimetres that fits ``faces`` and their mirror images.

    Guessed points do not count. ``first`` is the head to begin with; its origin lies between the outer eye
    corners, 90 mm apart, and so does that of the result.
    """
    points = np.stack([face.points for face in faces])
    known = np.stack([_known(face) for face in faces])
    points = np.concatenate([points, np.stack([mirror_points(one, 0) for one in points])])
    known = np.concatenate([known, known[:, MIRROR]])
    head, rotation = first, np.stack([turned_about_y(_first_yaw(one)) for one in known])
    for _ in range(_ROUNDS):
        cameras = fit_cameras(points, known * TRUST, head, rotation)
        rotation = cameras.rotation
        weights = known * _robust(cameras, head, points, known)[:, None]
        silhouettes = (known.min(axis=1) > 0) & (np.abs(cameras.yaw_deg) > _SILHOUETTE_DEG)
        weights[np.ix_(silhouettes, _JAW)] *= 0.02
        head = _normalised(_solve(cameras, points, weights))
    return head


def _known(face: LabelledFace) -> FloatArray:
    if face.visibility is None:
        return np.ones(N_POINTS)
    return np.asarray(face.visibility != GUESSED, np.float64)


def _first_yaw(known: FloatArray) -> float:
    """Return a rough yaw: 0 if both halves of the face are labelled."""
    half = N_POINTS // 2
    left, right = known[HEAD_MM[:, 0] < 0].sum(), known[HEAD_MM[:, 0] > 0].sum()
    return 65.0 * float(np.sign(left - right)) if abs(left - right) > half / 4 else 0.0


def _robust(cameras: Camera, head: FloatArray, points: FloatArray, known: FloatArray) -> FloatArray:
    """Return the weight of each face, less for those that differ much from the head."""
    off = ((cameras.project(head) - points) ** 2).sum(axis=2)
    error_mm = np.sqrt((off * known).sum(axis=1) / known.sum(axis=1)) / cameras.scale
    return np.asarray(1 / (1 + (error_mm / _USUAL_MM) ** 2))


def _solve(cameras: Camera, points: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the head that the cameras see at ``points``: weighted least squares for each point."""
    rows = cameras.rotation[:, :2]
    seen = (points - cameras.shift[:, None]) / cameras.scale[:, None, None]
    normal = np.einsum("fn,fki,fkj->nij", weights, rows, rows) + 1e-6 * np.eye(3)
    return np.linalg.solve(normal, np.einsum("fn,fki,fnk->ni", weights, rows, seen)[..., None])[..., 0]


def _normalised(head: FloatArray) -> FloatArray:
    head = (head + head[MIRROR] * (-1, 1, 1)) / 2
    left, right = head[list(OUTER_EYE_CORNERS)]
    return np.asarray((head - (left + right) / 2) * (EYES_APART_MM / np.linalg.norm(right - left)))
