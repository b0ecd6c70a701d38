"""Delayed pictures, so that a face is covered also in the frames before it was first found."""

from __future__ import annotations

from collections import deque

from tracker.drawing.masks import Mask, cover_heads
from tracker.drawing.picture import Picture
from tracker.sinks.protocols import PictureSink
from tracker.sinks.sink import Sink

DELAY_S = 0.5
"""Seconds by which pictures are delayed, and for which a new face is covered before it was found."""

_GROWTH_PER_S = 1.0  # growth of the mask away from the frame in which the face was found
_MAX_BYTES = 256 * 2**20


class DelayedSink(Sink):
    """Passes pictures on to ``sink`` :data:`DELAY_S` later, with the newcomers of later pictures covered.

    A face walks in, or turns to the camera, some frames before the detector is sure of it. At most 256 MiB
    of pictures wait. Their canvases are changed in place until they are passed on; ``sink`` is not closed.
    ``mask`` is that of the anonymiser.
    """

    def __init__(self, sink: PictureSink, mask: Mask) -> None:
        self._sink = sink
        self._mask = mask
        self._waiting: deque[Picture] = deque()
        self._bytes = 0

    def write(self, picture: Picture) -> None:
        """Cover the newcomers in the pictures that wait, then append the picture to them."""
        self._check_open()
        for earlier in self._waiting:
            growth = 1 + _GROWTH_PER_S * abs(picture.time_s - earlier.time_s)
            heads = [head.grown(growth) for head in picture.newcomers]
            cover_heads(earlier.canvas_bgr, heads, self._mask, earlier.pixel_aspect)
        self._waiting.append(picture)
        self._bytes += picture.canvas_bgr.nbytes
        while self._waiting and self._is_due(picture.time_s):
            self._pass_on()

    def _close(self) -> None:
        """Pass on the pictures that still wait."""
        while self._waiting:
            self._pass_on()

    def _is_due(self, now_s: float) -> bool:
        return self._bytes > _MAX_BYTES or now_s - self._waiting[0].time_s > DELAY_S

    def _pass_on(self) -> None:
        picture = self._waiting.popleft()
        self._bytes -= picture.canvas_bgr.nbytes
        self._sink.write(picture)
