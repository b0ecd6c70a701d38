"""Appearance of a tracked face: whether a located face looks like the one before.

A face is compared as an upright picture of 32x32 cells with local contrast normalised, so that light from one
side or a darker picture changes little, and by the shape of its points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from tracker.geometry import CropTransform, Raster
from tracker.scheme.ibug68 import IBUG68
from tracker.scheme.value import Scheme
from tracker.tracking.settings import IdentitySettings
from tracker.types import FloatArray, ImageArray, Landmarks

LOOK_SIZE = 32
"""Rows and columns of a look."""

_SIGMA = 3.0
"""Radius in cells in which contrast is normalised: larger shadows are light, smaller ones features."""

_MIN_CONTRAST = 2.0
"""Grey levels of local contrast below which a look is mostly noise of the camera, and proves nothing."""


def _blur_matrix() -> FloatArray:
    """Return ``B`` ``(32, 32)`` float32 such that ``B @ cells @ B.T`` is a Gaussian blur by :data:`_SIGMA`.

    Borders are mirrored. At this size two products take half the time of ``cv2.GaussianBlur``, and blur the
    looks of all faces in one call.
    """
    reach = round(4 * _SIGMA)
    kernel = cv2.getGaussianKernel(2 * reach + 1, _SIGMA)[:, 0]
    mirrored = np.pad(np.eye(LOOK_SIZE), ((reach, reach), (0, 0)), mode="reflect")
    rows = sum(weight * mirrored[i : i + LOOK_SIZE] for i, weight in enumerate(kernel))
    return np.asarray(rows, np.float32)


_BLUR = _blur_matrix()


@dataclass(frozen=True, eq=False)
class Look:
    """One look at a face.

    ``cells`` ``(32, 32)`` float32 has mean 0 and norm 1, or is all 0 where the picture has no contrast.
    ``shape`` ``(P, 2)`` are the points of ``scheme`` in the upright crop, in crop sides from its middle.
    Neither must be changed. Raises ``ValueError`` for other shapes.
    """

    cells: FloatArray
    shape: FloatArray
    scheme: Scheme = IBUG68

    def __post_init__(self) -> None:
        if self.cells.shape != (LOOK_SIZE, LOOK_SIZE) or self.shape.shape != (self.scheme.n_points, 2):
            raise ValueError(f"a look has shapes that do not fit: {self.cells.shape}, {self.shape.shape}")

    @classmethod
    def at(cls, picture: Raster, face: Landmarks) -> Look:
        """Look at ``face`` in ``picture``, in its square pixels.

        Raises ``ValueError`` if all points coincide.
        """
        crop = CropTransform.from_points(face.points_frame, face.scheme, LOOK_SIZE)
        grey = crop.cut(picture.image, stretch=picture.stretch)
        return cls(_normalised(grey[None])[0], crop.to_unit(face.points_frame), face.scheme)

    @classmethod
    def through(
        cls,
        crops: Sequence[tuple[ImageArray, CropTransform]],
        shapes: Sequence[FloatArray],
        scheme: Scheme = IBUG68,
    ) -> list[Look]:
        """Look at faces through ``crops``: square pixels, and the upright crop of 32 to cut from them.

        ``shapes`` are the points of ``scheme`` of each face in its crop, as in :attr:`shape`.
        """
        grey = np.empty((len(crops), LOOK_SIZE, LOOK_SIZE), np.uint8)
        for one, (image, crop) in zip(grey, crops, strict=True):
            crop.cut(image, into=one)
        return [cls(cells, shape, scheme) for cells, shape in zip(_normalised(grey), shapes, strict=True)]

    @cached_property
    def is_blank(self) -> bool:
        """True if the picture has no contrast."""
        return not self.cells.any()

    def likeness(self, other: Look) -> float | None:
        """Return the correlation -1..1 with ``other``; None if one has no contrast."""
        if self.is_blank or other.is_blank:
            return None
        return float(np.vdot(self.cells, other.cells))

    def shape_change(self, other: Look) -> float:
        """Return the mean distance of the points from those of ``other``, in crop sides."""
        return float(np.linalg.norm(self.shape - other.shape, axis=1).mean())


@dataclass(eq=False)
class Appearance:
    """Looks of one track: the ``last``, a slow mean of the cells (``usual``), and how much they change.

    ``change`` is the usual difference, 1 - likeness, of one frame from the next; ``count`` frames were seen.
    """

    last: Look
    usual: Look
    change: float = 0.0
    count: int = 1

    def update(self, look: Look) -> None:
        """Take in the next ``look`` at the same face."""
        alike = self.last.likeness(look)
        if alike is not None:
            weight = max(1 / self.count, 0.2)
            self.change += weight * (1 - alike - self.change)
            self.count += 1
        self.resume(look)

    def resume(self, look: Look) -> None:
        """Take in the first ``look`` after a gap, which tells nothing about changes from frame to frame."""
        self.last = look
        if not look.is_blank:
            mixed = 0.9 * self.usual.cells + 0.1 * look.cells
            self.usual = Look(mixed / math.sqrt(np.vdot(mixed, mixed)), look.shape, look.scheme)

    def is_replaced(self, look: Look, settings: IdentitySettings) -> bool:
        """Return whether ``look`` shows another face than the last one, beyond what motion explains.

        The look and the points must both jump, and the look more than it usually does from frame to frame,
        by fast motion or in noise.
        """
        alike = self.last.likeness(look)
        if alike is None:
            return False
        jump = 1 - alike
        return (
            jump > settings.replaced_jump
            and jump > settings.replaced_ratio * self.change
            and self.last.shape_change(look) > settings.replaced_shape
            and (self.usual.likeness(look) or 0.0) < settings.replaced_usual
        )

    def likeness(self, look: Look) -> float | None:
        """Return how much ``look`` resembles this face, -1..1; None without contrast."""
        return self.usual.likeness(look)


def _normalised(grey: ImageArray) -> FloatArray:
    """Return the cells of looks at ``grey`` ``(N, 32, 32)``: local contrast 1, mean 0 and norm 1.

    Those without contrast are all 0.
    """
    levels = grey.astype(np.float32)
    fine = levels - _BLUR @ levels @ _BLUR.T
    contrast = np.sqrt(_BLUR @ (fine * fine) @ _BLUR.T)
    cells = fine / (contrast + _MIN_CONTRAST)
    for one, spread in zip(cells, contrast, strict=True):
        mean, deviation = (value.item() for value in cv2.meanStdDev(one))
        one -= mean
        one /= deviation * LOOK_SIZE if cv2.mean(spread)[0] >= _MIN_CONTRAST else math.inf
    return cells
