"""Correction of BlazeFace's boxes to the tight box around iBUG's points."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracker.distribution import repair_command
from tracker.errors import WeightsError
from tracker.geometry import CropTransform, roll_of_features
from tracker.types import FaceBox, FloatArray

N_KEYPOINTS = 6
N_FEATURES = 1 + 2 * N_KEYPOINTS

HEAD_ORIGIN = 0.5
"""Both coordinates of the origin of :attr:`RawFace.head`."""

_MIN_BOX = 1.0  # in units of the key points' spread; faces have about 2.8


@dataclass(frozen=True, eq=False)
class RawFace:
    """A face as BlazeFace reports it: its square box from forehead to chin, and six key points.

    ``keypoints_frame`` ``(6, 2)``, frame pixels: left and right eye (as seen in the picture, for an upright
    head), nose tip, mouth, left and right ear. Raises ``ValueError`` for another shape, and for points that
    are not finite or all coincide.
    """

    box: FaceBox
    keypoints_frame: FloatArray

    def __post_init__(self) -> None:
        if self.keypoints_frame.shape != (N_KEYPOINTS, 2):
            raise ValueError(f"key points must be ({N_KEYPOINTS}, 2), got {self.keypoints_frame.shape}")
        if not _spread(self.keypoints_frame) > 0:
            raise ValueError("key points must be finite and must not all coincide")

    @property
    def roll_rad(self) -> float:
        """Roll of the head from eyes and mouth, radians clockwise on screen, also for profiles."""
        left_eye, right_eye, _, mouth = self.keypoints_frame[:4]
        return roll_of_features(left_eye, right_eye, mouth)

    @property
    def head(self) -> CropTransform:
        """Coordinates of the upright head: origin at the mean of the key points, unit their spread.

        The crop is two by two units large; its middle, :data:`HEAD_ORIGIN`, is the origin.
        """
        x, y = self.keypoints_frame.mean(axis=0)
        return CropTransform((float(x), float(y)), 2 * _spread(self.keypoints_frame), self.roll_rad, size=2)


@dataclass(frozen=True, eq=False)
class BoxCorrection:
    """Linear function from BlazeFace's key points to the tight box around iBUG's points.

    BlazeFace's own box stays upright and shrinks when the head rolls, but its key points turn with the head.
    So the box is computed from them in the coordinates of the head (:attr:`RawFace.head`). ``matrix`` ``(4,
    13)``: rows are centre x, centre y, width and height of the box; columns are a constant, then x and y of
    each key point. It is fitted on training images by ``python -m export fit-box``.

    Raises ``ValueError`` for another shape or numbers that are not finite.
    """

    matrix: FloatArray

    def __post_init__(self) -> None:
        if self.matrix.shape != (4, N_FEATURES) or not np.isfinite(self.matrix).all():
            raise ValueError(f"a box correction is finite and (4, {N_FEATURES}), got {self.matrix.shape}")

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> BoxCorrection:
        """Read ``box_correction`` of a detector's manifest entry.

        Raises :class:`WeightsError` if it is missing or unusable.
        """
        try:
            return cls(np.array(meta["box_correction"], np.float64))
        except (KeyError, TypeError, ValueError) as error:
            raise WeightsError(
                f"the detector's box_correction in the manifest cannot be used ({error}): {repair_command()}"
            ) from error

    def apply(self, face: RawFace) -> FaceBox:
        """Return the box of ``face``, measured with the head upright, with its score and roll."""
        head = face.head
        x, y, width, height = self.matrix @ box_features(face)
        center_x, center_y = head.to_frame(np.array([x, y]) + HEAD_ORIGIN)
        # Extrapolation to unusual proportions must not give a box without area.
        half_w, half_h = (max(float(size), _MIN_BOX) * head.scale / 2 for size in (width, height))
        x0, y0 = float(center_x) - half_w, float(center_y) - half_h
        return FaceBox(x0, y0, x0 + 2 * half_w, y0 + 2 * half_h, face.box.score, face.roll_rad)


def box_features(face: RawFace) -> FloatArray:
    """Return the input ``(13,)`` of a :class:`BoxCorrection`: 1, then the key points in head coordinates."""
    in_head = face.head.to_crop(face.keypoints_frame) - HEAD_ORIGIN
    return np.concatenate([[1.0], in_head.reshape(-1)])


def _spread(keypoints: FloatArray) -> float:
    """Return the root mean square distance of ``(6, 2)`` points from their mean."""
    return math.sqrt(float(keypoints.var(axis=0).sum()))
