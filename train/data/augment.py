"""Random augmentation policies; the transforms that they choose are deterministic.

Geometry is a perturbed :class:`~tracker.geometry.CropTransform`, so that image and points move through the
same map that the live tracker uses. Photometry works on grey uint8 crops.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from tracker.geometry import CropTransform
from tracker.types import ImageArray
from train.data.kept import Reach


@dataclass(frozen=True)
class GeometryPolicy:
    """Random deviation of a training crop from the canonical one.

    Deviations are normal with the given standard deviation, clipped at the given limit: most crops of the
    live tracker fit well, and few fit badly. Shifts are in crop sides.
    """

    angle_std_deg: float = 10.0
    angle_max_deg: float = 40.0
    scale_std: float = 0.08
    scale_max: float = 0.25
    shift_std: float = 0.035
    shift_max: float = 0.12
    mirror: float = 0.5

    @property
    def reach(self) -> Reach:
        """Extent of the crops that :meth:`perturb` draws, in which two stored pixels are kept for each pixel.

        With two or more, blocks of stored pixels and blocks of the picture's own average nearly the same:
        either are from 2/3 to all of a pixel of the crop.
        """
        largest = math.exp(self.scale_max)
        return Reach(self.shift_max + largest / math.sqrt(2), largest, 1 / largest / 2)

    def perturb(self, crop: CropTransform, rng: np.random.Generator) -> CropTransform:
        """Draw a crop near ``crop`` that still holds the face."""
        angle = np.deg2rad(_cut_normal(rng, self.angle_std_deg, self.angle_max_deg))
        scale = float(np.exp(_cut_normal(rng, self.scale_std, self.scale_max)))
        dx, dy = (_cut_normal(rng, self.shift_std, self.shift_max) * crop.side for _ in range(2))
        x, y = crop.center
        return CropTransform((x + dx, y + dy), crop.side * scale, crop.angle + float(angle), crop.size)


CANONICAL = Reach(far=1 / math.sqrt(2), largest=1.0, finest=0.5)
"""Extent of the canonical crop itself, which may be turned."""

MISPLACED = (
    Reach(far=1.2 + 1.4 / math.sqrt(2), largest=1.4, finest=0.7),
    Reach(far=0.5 + 5.0 / math.sqrt(2), largest=5.0, finest=2.5),
)
"""Extent of the crops that :func:`misplace` draws beside the face and too far.

Those far too near, and those turned over, lie within :attr:`GeometryPolicy.reach`. The former may be enlarged
from fewer stored pixels than they have, as they are from small pictures anyway.
"""


def misplace(
    crop: CropTransform, rng: np.random.Generator, alone: bool = True, upright: bool = True
) -> CropTransform:
    """Draw a crop that the tracker must reject: beside the face, far too near, too far, or turned over.

    If the face is not ``alone`` in the picture, the first two could hold another's face, and are not drawn;
    the last is not where objects need not be ``upright``.
    """
    x, y = crop.center
    kind = rng.integers(0 if alone else 2, 4 if upright else 3)
    if kind == 0:
        direction, distance = rng.uniform(0, 2 * np.pi), crop.side * rng.uniform(0.55, 1.2)
        center = (x + distance * float(np.cos(direction)), y + distance * float(np.sin(direction)))
        return CropTransform(center, crop.side * rng.uniform(0.7, 1.4), crop.angle, crop.size)
    if kind == 1:
        dx, dy = rng.uniform(-0.3, 0.3, 2) * crop.side
        return CropTransform((x + dx, y + dy), crop.side * rng.uniform(0.15, 0.4), crop.angle, crop.size)
    if kind == 2:
        dx, dy = rng.uniform(-0.5, 0.5, 2) * crop.side
        return CropTransform((x + dx, y + dy), crop.side * rng.uniform(2.5, 5.0), crop.angle, crop.size)
    return CropTransform(crop.center, crop.side, crop.angle + rng.uniform(1.8, 4.5), crop.size)


def synthetic_background(size: int, rng: np.random.Generator) -> ImageArray:
    """Draw a ``(size, size)`` grey patch without a face: smooth clouds of random coarseness, or flat."""
    cells = int(rng.choice([1, 2, 4, 8, 32, size]))
    coarse = rng.normal(rng.uniform(0, 255), rng.uniform(0, 80), (cells, cells))
    cloud = cv2.resize(coarse.clip(0, 255).astype(np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(cloud, np.uint8)


@dataclass(frozen=True)
class PhotometricPolicy:
    """Probabilities, 0..1, of each change of light, sensor or codec."""

    tone: float = 0.6
    shade: float = 0.2
    blur: float = 0.2
    low_resolution: float = 0.15
    noise: float = 0.25
    jpeg: float = 0.15
    occlusion: float = 0.25

    def apply(self, crop: ImageArray, rng: np.random.Generator) -> ImageArray:
        """Return a changed copy of ``crop``, ``(S, S)`` grey uint8."""
        steps = (
            (self.low_resolution, _low_resolution),
            (self.blur, _blur),
            (self.shade, _shade),
            (self.tone, _tone),
            (self.occlusion, _occlude),
            (self.noise, _noise),
            (self.jpeg, _jpeg),
        )
        for chance, step in steps:
            if rng.random() < chance:
                crop = step(crop, rng)
        return crop


def _cut_normal(rng: np.random.Generator, std: float, limit: float) -> float:
    return min(max(rng.normal(0.0, std), -limit), limit)


_LEVELS = np.linspace(0, 1, 256)


@cache
def _axis(size: int) -> npt.NDArray[np.float32]:
    """Return the positions of ``size`` pixels from -0.5 to 0.5."""
    return np.linspace(-0.5, 0.5, size, dtype=np.float32)


def _tone(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    gamma, gain, bias = np.exp(rng.normal(0, 0.3)), rng.uniform(0.5, 1.3), rng.uniform(-40, 40)
    table = 255 * _LEVELS**gamma
    table = (table - 128) * gain + 128 + bias
    return np.asarray(cv2.LUT(crop, table.clip(0, 255).astype(np.uint8)), np.uint8)


def _shade(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Simulate light from one side by a linear ramp across the crop."""
    direction, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.9)
    axis = _axis(len(crop))
    ramp = 1 + depth * (np.cos(direction) * axis[None, :] + np.sin(direction) * axis[:, None])
    return np.asarray((crop * ramp).clip(0, 255), np.uint8)


def _blur(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    if rng.random() < 0.5:
        sigma = rng.uniform(0.3, 1.5) * len(crop) / 128
        return np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), np.uint8)
    # An odd length keeps the kernel's middle on a pixel: blur must not shift the picture against its points.
    length = 2 * (int(rng.integers(1, 5)) * len(crop) // 128) + 1
    kernel = np.zeros((length, length), np.float32)
    direction = rng.uniform(0, np.pi)
    dx, dy = (length // 2 * f(direction) for f in (np.cos, np.sin))
    middle = length // 2
    ends = [(round(middle + s * dx), round(middle + s * dy)) for s in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(crop, -1, kernel / kernel.sum()), np.uint8)


def _low_resolution(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Simulate a small or distant face by shrinking and enlarging the crop."""
    size = len(crop)
    small = int(rng.uniform(32, 96)) * size // 128
    shrunk = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def _noise(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    changed = rng.standard_normal(crop.shape, np.float32)
    changed *= np.float32(rng.uniform(1, 14))
    changed += crop
    return changed.clip(0, 255, out=changed).astype(np.uint8)


def _jpeg(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    quality = int(rng.integers(15, 70))
    _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def _occlude(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Cover a part of the crop by a flat or noisy rotated rectangle, at most a third of the crop wide."""
    size = len(crop)
    center = tuple(map(float, rng.uniform(0, size, 2)))
    extent = tuple(map(float, rng.uniform(0.08, 0.35, 2) * size))
    corners = cv2.boxPoints((center, extent, float(rng.uniform(0, 90)))).astype(np.int32)
    mask = np.zeros_like(crop)
    cv2.fillConvexPoly(mask, corners, 1)
    grain = rng.uniform(0, 30) if rng.random() < 0.5 else 0.0
    # Noise is drawn for the whole crop, on which later draws depend, and used where the rectangle lies.
    (left, top), (right, bottom) = corners.min(axis=0).clip(0), corners.max(axis=0) + 1
    box = slice(top, bottom), slice(left, right)
    fill = rng.uniform(0, 255) + grain * rng.standard_normal(crop.shape, np.float32)[box]
    covered = crop.copy()
    np.copyto(covered[box], fill.clip(0, 255).astype(np.uint8), where=mask[box] == 1)
    return covered
