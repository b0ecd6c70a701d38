"""Canonical crops of labelled faces, and the map from crop to image."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from tracker.geometry import CropTransform
from tracker.types import FloatArray
from train.data.dataset import FaceCrops, Sample, from_unit
from train.data.readers import LabelledFace


class CanonicalCrops:
    """Upright crops around the labels of ``faces``, cut from the images at ``size`` pixels.

    ``on_read`` is called after each image. Raises :class:`~train.errors.DataError` if one cannot be read.
    """

    def __init__(
        self, faces: Sequence[LabelledFace], size: int, on_read: Callable[[], object] = lambda: None
    ) -> None:
        self._faces, self._size = faces, size
        self._crops = FaceCrops(faces, size, on_read=on_read)

    def __len__(self) -> int:
        return len(self._crops)

    def __getitem__(self, index: int) -> Sample:
        return self._crops[index]

    def to_image(self, index: int, points: Tensor) -> FloatArray:
        """Convert points ``(P, 2)`` from crop sides from the crop's centre to image pixels."""
        crop = CropTransform.from_points(self._faces[index].points, size=self._size)
        return np.asarray(crop.to_frame(from_unit(points.double(), self._size).numpy()))
