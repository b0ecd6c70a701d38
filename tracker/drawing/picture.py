"""An annotated picture on its way to the outputs."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tracker.drawing.heads import Head
from tracker.types import ImageArray


@dataclass(frozen=True, eq=False)
class Picture:
    """An annotated picture and its place in the source.

    ``canvas_bgr`` is ``(H, W, 3)`` uint8. ``time_s`` is the frame's presentation time in seconds and
    ``source`` the name of its video, camera or image file. ``newcomers`` are heads in this picture that the
    picture before did not have; only an anonymiser names them. ``pixel_aspect`` is the width of a pixel over
    its height. Raises ``ValueError`` for a canvas of another shape or dtype, a time that is not finite, or a
    ratio that is not positive and finite.
    """

    canvas_bgr: ImageArray
    time_s: float = 0.0
    source: str = ""
    newcomers: tuple[Head, ...] = ()
    pixel_aspect: float = 1.0

    def __post_init__(self) -> None:
        canvas = self.canvas_bgr
        if canvas.dtype != np.uint8 or canvas.ndim != 3 or canvas.shape[2] != 3 or canvas.size == 0:
            raise ValueError(
                f"canvas_bgr must be a non-empty uint8 (H, W, 3) array, got {canvas.dtype} {canvas.shape}"
            )
        if not math.isfinite(self.time_s):
            raise ValueError(f"time_s must be finite, got {self.time_s}")
        if not 0 < self.pixel_aspect < math.inf:
            raise ValueError(f"pixel_aspect must be positive and finite, got {self.pixel_aspect}")
