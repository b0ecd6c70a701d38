"""Annotated video of a camera or film whose pictures may change their size."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import cv2

from tracker.sinks.video.sink import VideoSink
from tracker.sources.film import Film
from tracker.types import ImageArray


class LiveVideoSink(VideoSink):
    """A :class:`VideoSink` that goes on when a stream turns or a camera comes back with another size.

    The file has the size of the first picture; those of another are scaled into it, with black bars.
    """

    def __init__(self, path: Path, like: Film | None = None) -> None:
        super().__init__(path, like)
        self._first_hw: tuple[int, int] | None = None

    def write(self, canvas_bgr: ImageArray, time_s: float) -> None:
        """Append one picture ``(H, W, 3)`` BGR uint8, shown from ``time_s`` (seconds, increasing) on."""
        if self._first_hw is None:
            self._first_hw = canvas_bgr.shape[0], canvas_bgr.shape[1]
        super().write(fit(canvas_bgr, self._first_hw), time_s)


def fit(image_bgr: ImageArray, image_hw: tuple[int, int]) -> ImageArray:
    """The whole picture in the middle of ``image_hw`` (height, width), its shape kept; itself if it fits."""
    (height, width), (to_height, to_width) = image_bgr.shape[:2], image_hw
    if (height, width) == image_hw:
        return image_bgr
    scale = min(to_height / height, to_width / width)
    inner_h, inner_w = max(round(scale * height), 1), max(round(scale * width), 1)
    scaled = cv2.resize(image_bgr, (inner_w, inner_h), interpolation=cv2.INTER_AREA)
    top, left = (to_height - inner_h) // 2, (to_width - inner_w) // 2
    bars = (top, to_height - inner_h - top, left, to_width - inner_w - left)
    return cast(ImageArray, cv2.copyMakeBorder(scaled, *bars, cv2.BORDER_CONSTANT, value=(0, 0, 0)))
