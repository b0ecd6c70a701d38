"""Masks and hands drawn over a face, and the points that they cover.

Shapes follow the face's points; a drawing depends on the generator, the points and the size only.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from tracker.types import FloatArray, ImageArray
from train.errors import RunError

Covered = npt.NDArray[np.bool_]
"""``(P,)``, True for each covered point."""

Drawn = tuple[ImageArray, Covered]

_FINGERS = 4


@dataclass(frozen=True)
class OccluderPolicy:
    """Probabilities, 0..1, of a mask, of a hand and of light from one side only, in a crop of a face."""

    mask: float = 0.12
    hand: float = 0.12
    half_light: float = 0.12

    def __post_init__(self) -> None:
        if min(self.mask, self.hand, self.half_light) < 0 or self.mask + self.hand > 1 or self.half_light > 1:
            raise RunError(f"probabilities must be in 0..1, mask and hand together as well, got {self}")

    def apply(self, crop: ImageArray, points: FloatArray, rng: np.random.Generator) -> Drawn:
        """Return a changed copy of ``crop`` ``(S, S)`` grey uint8, whose face has ``points`` ``(P, 2)``.

        Points are in crop pixels. At most one of mask and hand is drawn.
        """
        covered = np.zeros(len(points), bool)
        chance = rng.random()
        if chance < self.mask:
            crop, covered = draw_mask(crop, points, rng)
        elif chance < self.mask + self.hand:
            crop, covered = draw_hand(crop, points, rng)
        if rng.random() < self.half_light:
            crop = half_light(crop, rng)
        return crop, covered


def draw_mask(crop: ImageArray, points: FloatArray, rng: np.random.Generator) -> Drawn:
    """Draw a medical or cloth mask from the bridge of the nose to below the chin, with straps to the ears."""
    size = len(crop)
    outline = _mask_outline(points, rng)
    cloth = _cloth(size, rng)
    cloth = _folds(cloth, points, rng) if rng.random() < 0.6 else cloth
    # A mask bulges over the mouth, which reaches beyond the jaw in profile.
    lips = points[8] + (points[48:60] - points[8]) * 1.2
    area = _filled(size, np.concatenate([outline, lips]))
    drawn = crop
    if rng.random() < 0.8:
        drawn = _straps(drawn, points, outline, rng)
    return _pasted(drawn, cloth, area), _under(area, points)


def draw_hand(crop: ImageArray, points: FloatArray, rng: np.random.Generator) -> Drawn:
    """Draw a hand before a part of the face: a palm and fingers as capsules of skin-like shade."""
    size, face = len(crop), float(np.ptp(points, axis=0).max())
    target = points[rng.integers(len(points))] + rng.normal(0, 0.06 * face, 2)
    direction = rng.uniform(0, 2 * np.pi)
    area = np.zeros((size, size), np.uint8)
    shade = np.full((size, size), _skin(crop, points) * rng.uniform(0.75, 1.2), np.float32)
    _draw_palm(area, target, direction, face, rng)
    for finger in range(_FINGERS):
        _draw_finger(area, shade, (target, direction, finger), face, rng)
    shade += cv2.GaussianBlur(rng.normal(0, 60, (size, size)).astype(np.float32), (0, 0), size / 16)
    hand = np.asarray(shade.clip(0, 255), np.uint8)
    return _pasted(crop, hand, area > 0), _under(area > 0, points)


def half_light(crop: ImageArray, rng: np.random.Generator) -> ImageArray:
    """Light one side of ``crop`` only: a sigmoid from dark to bright across the face."""
    size = len(crop)
    direction, edge, width = rng.uniform(0, 2 * np.pi), rng.uniform(-0.2, 0.2), rng.uniform(0.02, 0.2)
    dark, bright = rng.uniform(0.05, 0.45), rng.uniform(0.9, 1.4)
    axis = np.linspace(-0.5, 0.5, size, dtype=np.float32)
    across = np.cos(direction) * axis[None, :] + np.sin(direction) * axis[:, None]
    gain = dark + (bright - dark) / (1 + np.exp(-(across - edge) / width))
    return np.asarray((crop * gain).clip(0, 255), np.uint8)


def _mask_outline(points: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Return a polygon along the jaw and over the nose, with some play."""
    first = int(rng.integers(1, 4))
    jaw = points[first : 17 - first]
    middle = jaw.mean(axis=0)
    jaw = middle + (jaw - middle) * rng.uniform(0.98, 1.12)
    top = points[27] + (points[30] - points[27]) * rng.uniform(0.35, 0.95)
    # The upper edge rises from the cheeks to the nose; the cheeks lie between eye and jaw.
    right = 0.5 * (points[35] + points[17 - first - 1]) + (top - points[33]) * rng.uniform(0.5, 0.9)
    left = 0.5 * (points[31] + points[first]) + (top - points[33]) * rng.uniform(0.5, 0.9)
    return np.concatenate([jaw, right[None], top[None], left[None]])


def _cloth(size: int, rng: np.random.Generator) -> ImageArray:
    """Return a plain, shaded, striped or printed texture ``(size, size)``."""
    base = rng.uniform(10, 245)
    texture = np.full((size, size), base, np.float32)
    kind = rng.integers(4)
    axis = np.arange(size, dtype=np.float32)
    if kind == 1:
        cells = int(rng.integers(4, 24))
        coarse = rng.normal(0, rng.uniform(10, 70), (cells, cells)).astype(np.float32)
        texture += cv2.resize(coarse, (size, size), interpolation=int(rng.choice([0, 1, 2])))
    elif kind == 2:
        angle, period = rng.uniform(0, np.pi), rng.uniform(4, 30) * size / 128
        wave = np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]
        texture += rng.uniform(5, 60) * np.sin(2 * np.pi * wave / period)
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 80)
    texture += depth * (np.cos(angle) * axis[None, :] + np.sin(angle) * axis[:, None]) / size - depth / 4
    return np.asarray((texture + rng.normal(0, 3, (size, size))).clip(0, 255), np.uint8)


def _folds(cloth: ImageArray, points: FloatArray, rng: np.random.Generator) -> ImageArray:
    """Draw two to four folds from cheek to cheek, a little darker or brighter than ``cloth``."""
    folded, count = cloth.copy(), int(rng.integers(2, 5))
    for place in np.linspace(0.2, 0.8, count) + rng.normal(0, 0.03, count):
        left, middle, right = (
            points[a] * (1 - place) + points[b] * place for a, b in ((2, 6), (33, 8), (14, 10))
        )
        step = float(rng.uniform(-35, 35))
        colour = float(np.clip(cloth.mean() + step, 0, 255))
        line = _rounded(np.stack([left, middle, right]))
        cv2.polylines(folded, [line], False, colour, max(1, len(cloth) // 100), cv2.LINE_AA)
    return folded


def _straps(
    crop: ImageArray, points: FloatArray, outline: FloatArray, rng: np.random.Generator
) -> ImageArray:
    drawn, colour = crop.copy(), float(rng.uniform(0, 255))
    thickness = max(1, round(len(crop) * rng.uniform(0.005, 0.015)))
    # The outline runs along the jaw from left to right, then back over the nose.
    for ear, corner in ((0, outline[-1]), (0, outline[0]), (16, outline[-3]), (16, outline[-4])):
        ends = _rounded(np.stack([points[ear], corner]))
        cv2.polylines(drawn, [ends], False, colour, thickness, cv2.LINE_AA)
    return drawn


def _skin(crop: ImageArray, points: FloatArray) -> float:
    """Return the median grey level of the cheeks and the nose."""
    places = np.stack([points[30], (points[1] + points[31]) / 2, (points[15] + points[35]) / 2])
    x, y = _rounded(places).clip(0, len(crop) - 1).T
    return float(np.median(crop[y, x]))


def _draw_palm(
    area: ImageArray, target: FloatArray, direction: float, face: float, rng: np.random.Generator
) -> None:
    away = np.array([np.cos(direction), np.sin(direction)])
    wrist = _rounded(np.stack([target, target + away * face * rng.uniform(0.6, 1.2)]))
    cv2.line(area, _pair(wrist[0]), _pair(wrist[1]), 1, max(2, round(face * rng.uniform(0.2, 0.35))))


def _draw_finger(
    area: ImageArray,
    shade: npt.NDArray[np.float32],
    place: tuple[FloatArray, float, int],
    face: float,
    rng: np.random.Generator,
) -> None:
    """Draw one finger that leaves the palm against ``direction``, with a darker edge."""
    target, direction, number = place
    along = -np.array([np.cos(direction), np.sin(direction)])
    across = np.array([-along[1], along[0]])
    root = target + across * face * 0.075 * (number - (_FINGERS - 1) / 2)
    turn = rng.normal(0, 0.15) + 0.1 * (number - (_FINGERS - 1) / 2)
    tip = root + (along * np.cos(turn) + across * np.sin(turn)) * face * rng.uniform(0.2, 0.45)
    thickness = max(2, round(face * rng.uniform(0.055, 0.08)))
    ends = _rounded(np.stack([root, tip]))
    grey = float(shade.mean())
    cv2.line(area, _pair(ends[0]), _pair(ends[1]), 1, thickness)
    cv2.line(shade, _pair(ends[0]), _pair(ends[1]), grey * float(rng.uniform(0.6, 0.85)), thickness)
    cv2.line(shade, _pair(ends[0]), _pair(ends[1]), grey, max(1, round(0.75 * thickness)))


def _filled(size: int, outline: FloatArray) -> npt.NDArray[np.bool_]:
    """Fill the convex hull of ``outline``: in profile, its two halves lie one over the other."""
    area = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(area, cv2.convexHull(_rounded(outline)), 1)
    return area > 0


def _pasted(crop: ImageArray, over: ImageArray, area: npt.NDArray[np.bool_]) -> ImageArray:
    """Lay ``over`` on ``crop`` where ``area`` is, with an edge a pixel soft."""
    alpha = cv2.GaussianBlur(area.astype(np.float32), (3, 3), 0)
    return np.asarray(crop * (1 - alpha) + over * alpha + 0.5, np.uint8)


def _under(area: npt.NDArray[np.bool_], points: FloatArray) -> Covered:
    """Return which of ``points`` lie in ``area`` ``(S, S)``."""
    size = len(area)
    places = _rounded(points)
    inside = ((places >= 0) & (places < size)).all(axis=1)
    x, y = places.clip(0, size - 1).T
    return np.asarray(inside & area[y, x])


def _rounded(points: FloatArray) -> npt.NDArray[np.int32]:
    # OpenCV draws wrongly far outside of a picture.
    return np.rint(np.clip(points, -4000, 4000)).astype(np.int32)


def _pair(point: npt.NDArray[np.int32]) -> tuple[int, int]:
    return int(point[0]), int(point[1])
