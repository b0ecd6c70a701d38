"""Accuracy metrics of facial landmarks, as used in the literature."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracker.scheme.ibug68 import IBUG68, OUTER_EYE_CORNERS
from tracker.scheme.value import Scheme
from tracker.types import FloatArray

Float64Array = npt.NDArray[np.float64]


def point_distances(predicted: FloatArray, truth: FloatArray) -> Float64Array:
    """Return the distance of each predicted point from the true one, ``(N, P)``, for points ``(N, P, 2)``."""
    return np.asarray(np.linalg.norm(predicted - truth, axis=-1), np.float64)


def inter_ocular(truth: FloatArray, corners: tuple[int, int] = OUTER_EYE_CORNERS) -> Float64Array:
    """Return the distance between the outer eye corners of each face ``(N, P, 2)``: ``(N,)``, same unit."""
    left, right = corners
    return np.asarray(np.linalg.norm(truth[:, left] - truth[:, right], axis=-1), np.float64)


def box_size(truth: FloatArray) -> Float64Array:
    """Return ``sqrt(width * height)`` of the tight box around each face ``(N, P, 2)``: ``(N,)``, same unit.

    The normaliser of AFLW's tables and of A. Bulat and G. Tzimiropoulos, "How far are we from solving the 2D
    & 3D face alignment problem?", ICCV 2017. Unlike the inter-ocular distance it does not shrink when a head
    turns.
    """
    return np.asarray(np.sqrt(np.ptp(truth, axis=1).prod(axis=-1)), np.float64)


def normaliser(truth: FloatArray, scheme: Scheme) -> Float64Array:
    """Return what the errors of each face ``(N, P, 2)`` are divided by, ``(N,)``, same unit.

    The distance of the scheme's pair of points, or, without one, :func:`box_size`.
    """
    return box_size(truth) if scheme.normaliser is None else inter_ocular(truth, scheme.normaliser)


def nme_percent(predicted: FloatArray, truth: FloatArray, scheme: Scheme = IBUG68) -> Float64Array:
    """Return the normalised mean error (NME) of each face in per cent, ``(N,)``.

    Mean distance over the points divided by the :func:`normaliser` of ``truth``, for iBUG's points the
    inter-ocular distance; both arguments are ``(N, P, 2)`` in the same frame. C. Sagonas et al., "300 Faces
    In-The-Wild Challenge", 2016.
    """
    return np.asarray(100 * point_distances(predicted, truth).mean(axis=-1) / normaliser(truth, scheme))


def failure_rate(nme: FloatArray, threshold: float = 10.0) -> float:
    """Return the share of faces, 0..1, whose NME exceeds ``threshold`` per cent; a missed face is ``inf``."""
    return float((nme > threshold).mean())


def area_under_curve(nme: FloatArray, threshold: float = 8.0) -> float:
    """Return the area under the cumulative error curve up to ``threshold`` per cent, 0..1.

    The curve is the exact step function of the sample, so its area is the mean over the faces of ``1 - nme /
    threshold``, clipped at 0.
    """
    return float(np.clip(1 - np.asarray(nme) / threshold, 0, None).mean())


def cumulative_curve(errors: FloatArray, limit: float) -> tuple[Float64Array, Float64Array]:
    """Return the corners of the cumulative error distribution of ``errors`` ``(N,)`` from 0 to ``limit``.

    The first array holds errors in rising order, the second the share of faces, 0..1, whose error is at most
    that; a share holds from its error on until the next. A missed face (``inf``) is never reached. The area
    under these steps is ``limit`` times :func:`area_under_curve`.
    """
    inside = np.sort(np.asarray(errors, np.float64))
    inside = inside[inside <= limit]
    shares = np.arange(len(inside) + 1) / max(len(errors), 1)
    return np.concatenate([[0.0], inside, [limit]]), np.append(shares, shares[-1])
