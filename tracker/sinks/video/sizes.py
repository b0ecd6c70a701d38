"""Picture sizes that encoders and devices accept."""

from __future__ import annotations

from typing import cast

import cv2

from tracker.types import ImageArray


def fit(image_bgr: ImageArray, image_hw: tuple[int, int], widened: float = 1.0) -> ImageArray:
    """Return the picture scaled into ``image_hw`` (height, width), centred between black bars.

    Its aspect ratio is kept, or multiplied by ``widened``: the shape of its pixels over that of the result's.
    A picture that has the size and shape already is returned itself.
    """
    (height, width), (to_height, to_width) = image_bgr.shape[:2], image_hw
    if (height, width) == image_hw and widened == 1:
        return image_bgr
    scale = min(to_height / height, to_width / (widened * width))
    inner_h, inner_w = max(round(scale * height), 1), max(round(scale * widened * width), 1)
    scaled = cv2.resize(image_bgr, (inner_w, inner_h), interpolation=cv2.INTER_AREA)
    top, left = (to_height - inner_h) // 2, (to_width - inner_w) // 2
    bars = (top, to_height - inner_h - top, left, to_width - inner_w - left)
    return cast(ImageArray, cv2.copyMakeBorder(scaled, *bars, cv2.BORDER_CONSTANT, value=(0, 0, 0)))


def shrunk_hw(image_hw: tuple[int, int], longest: int | None) -> tuple[int, int]:
    """Return height and width of a picture whose longer side is shrunk to ``longest``, if it is longer."""
    height, width = image_hw
    if longest is None or max(image_hw) <= longest:
        return image_hw
    scale = longest / max(image_hw)
    return max(round(scale * height), 1), max(round(scale * width), 1)


def even_sized(image_bgr: ImageArray) -> ImageArray:
    """Return the picture with its last row and column repeated where they are odd, as yuv420p needs."""
    height, width = image_bgr.shape[:2]
    if height % 2 == width % 2 == 0:
        return image_bgr
    return cast(ImageArray, cv2.copyMakeBorder(image_bgr, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE))
