"""Admission: the decision whether what was located in a crop is a face."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracker.distribution import repair_command
from tracker.errors import WeightsError
from tracker.types import FaceBox, Landmarks

_SURE = 1e-4
"""Distance from 0 or 1 at which a probability counts as sure."""

TYPICAL_SIZE = 50.0
"""Pixels of the longer side of a face's box at which size counts neither for nor against it."""

_ROUGH = 0.6
"""Lower bound of a detector's box over the points' box, by longer sides; 137 faces of 300-W: 0.82 to 1.13."""


def features(
    score: float, presence: float, quality: float, box: FaceBox
) -> tuple[float, float, float, float]:
    """Return what an :class:`Admission` weighs: three log-odds, and the logarithm of the size of ``box``."""
    size = math.log(_longer_side(box) / TYPICAL_SIZE)
    return _log_odds(score), _log_odds(presence), _log_odds(quality), size


@dataclass(frozen=True)
class Admission:
    """Probability that a detected and located face is one, from all that is known about it.

    A logistic regression: ``bias``, and the weights of the log-odds of the detector's ``score``, of the
    ``presence``, of the mean ``quality`` of the points, and of the logarithm of the face's ``size`` over
    :data:`TYPICAL_SIZE`. Small faces have lower scores and may make up for them by the others.

    The defaults weigh the three as independent evidence. Shipped models bring coefficients that were fitted
    on photographs of groups and on pictures without people, by ``python -m benchmarks.admission``.
    """

    bias: float = -5.0
    score: float = 1.0
    presence: float = 1.0
    quality: float = 1.0
    size: float = 0.0

    def __post_init__(self) -> None:
        values = (self.bias, self.score, self.presence, self.quality, self.size)
        if not all(map(math.isfinite, values)):
            raise ValueError(f"the coefficients of an admission must be finite, got {self}")

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> Admission:
        """Read ``admission`` of a landmark model's manifest entry; the defaults where there is none.

        Raises :class:`~tracker.errors.WeightsError` if it cannot be used.
        """
        try:
            return cls(**{name: float(value) for name, value in meta.get("admission", {}).items()})
        except (AttributeError, TypeError, ValueError) as error:
            raise WeightsError(
                f"the landmark model's admission in the manifest cannot be used ({error}): {repair_command()}"
            ) from error

    def probability(self, face: Landmarks, score: float) -> float:
        """Return the probability 0..1 that ``face``, detected with ``score``, is one.

        Without a quality, from models that do not judge it, presence stands for both.
        """
        quality = face.presence if face.mean_quality is None else face.mean_quality
        values = features(score, face.presence, quality, face.box)
        weights = (self.score, self.presence, self.quality, self.size)
        odds = self.bias + sum(weight * value for weight, value in zip(weights, values, strict=True))
        return 1 / (1 + math.exp(-min(max(odds, -500.0), 500.0)))


@dataclass(frozen=True)
class ReportLimits:
    """The least ``score`` 0..1 and ``size`` of the faces that the user wants reported at all.

    ``score`` is the presence, as results name it. ``size`` is the longer side of the box around the points in
    square pixels of the picture, before smoothing. The defaults leave out nothing.
    """

    score: float = 0.0
    size: float = 0.0

    def accepts(self, face: Landmarks) -> bool:
        """Return whether ``face`` reaches both."""
        return face.presence >= self.score and (not self.size or _longer_side(face.box) >= self.size)

    def may_hold(self, box: FaceBox, box_per_points: float = 1.0) -> bool:
        """Return whether the face in a detector's ``box``, which is rough, may be large enough.

        ``box_per_points`` is the size of such boxes over those of the points.
        """
        return _longer_side(box) >= _ROUGH * box_per_points * self.size


@dataclass(frozen=True)
class MinConfidence:
    """The least ``presence``, mean point ``quality`` and share of points ``inside`` the picture, all 0..1.

    Models that do not judge quality are not asked for it. The face must be within ``limits``, too.
    """

    presence: float
    quality: float
    inside: float = 0.0
    limits: ReportLimits = ReportLimits()

    def accepts(self, face: Landmarks, image_hw: tuple[int, int]) -> bool:
        """Return whether ``face`` in a picture of ``image_hw`` = (height, width) reaches all of them."""
        if face.presence < self.presence or not self.limits.accepts(face):
            return False
        if self.inside and _share_inside(face, image_hw) < self.inside:
            return False
        return face.mean_quality is None or face.mean_quality >= self.quality


@dataclass(frozen=True)
class Entry:
    """Decision on a detected face: its least ``probability`` by ``admission``, and ``least`` values.

    With ``doubts_upright`` the face is also located another way up, and the surest landmarks count.
    """

    admission: Admission
    probability: float
    least: MinConfidence
    doubts_upright: bool = False

    def accepts(self, face: Landmarks, score: float, image_hw: tuple[int, int]) -> bool:
        """Return whether ``face``, detected with ``score`` in a picture of ``image_hw``, is taken for one.

        Its points may be anything; all that coincide are no face.
        """
        if not self.least.accepts(face, image_hw) or not np.ptp(face.points_frame, axis=0).min() > 0:
            return False
        return self.admission.probability(face, score) >= self.probability


def _longer_side(box: FaceBox) -> float:
    return max(box.width, box.height)


def _log_odds(probability: float) -> float:
    clipped = min(max(probability, _SURE), 1 - _SURE)
    return math.log(clipped / (1 - clipped))


def _share_inside(face: Landmarks, image_hw: tuple[int, int]) -> float:
    """Return the share 0..1 of the points of ``face`` that lie inside the picture."""
    height, width = image_hw
    x0, y0, x1, y1 = face.bounds
    if min(x0, y0) >= -0.5 and x1 < width - 0.5 and y1 < height - 0.5:
        return 1.0
    x, y = face.points_frame.T
    inside = (x >= -0.5) & (x < width - 0.5) & (y >= -0.5) & (y < height - 0.5)
    return int(np.count_nonzero(inside)) / len(inside)
