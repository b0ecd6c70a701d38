"""Accuracy of 68-point landmarks, as the 300-W literature reports it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracker.scheme import OUTER_EYE_CORNERS
from tracker.types import FloatArray


def nme_percent(predicted: FloatArray, truth: FloatArray) -> npt.NDArray[np.float64]:
    """Normalised mean error of each face in per cent, ``(N,)``.

    Mean distance over the 68 points divided by the distance of the outer eye corners in ``truth``;
    both arguments are ``(N, 68, 2)`` in the same frame. C. Sagonas et al., "300 Faces In-The-Wild
    Challenge", 2016.
    """
    left, right = OUTER_EYE_CORNERS
    inter_ocular = np.linalg.norm(truth[:, left] - truth[:, right], axis=-1)
    distance = np.linalg.norm(predicted - truth, axis=-1).mean(axis=-1)
    return np.asarray(100 * distance / inter_ocular, np.float64)


def failure_rate(nme: FloatArray, threshold: float = 10.0) -> float:
    """Share of faces, 0..1, whose NME exceeds ``threshold`` per cent; a miss is ``inf``."""
    return float((nme > threshold).mean())


def area_under_curve(nme: FloatArray, threshold: float = 8.0) -> float:
    """Area under the cumulative error curve up to ``threshold`` per cent, 0..1.

    The curve is the exact step function of the sample, so its area is the mean of what each face
    leaves below the threshold.
    """
    return float(np.clip(1 - np.asarray(nme) / threshold, 0, None).mean())
