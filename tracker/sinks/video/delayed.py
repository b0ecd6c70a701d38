"""A film that waits a moment, so that a face is covered before it was first found."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from tracker.drawing.anonymise import Anonymiser, blur_heads
from tracker.system.closing import Closing
from tracker.types import ImageArray

BEHIND_S = 0.5
"""How far back a face is covered that was found just now."""

_GROWTH_PER_S = 1.0
_MOST_BYTES = 256 * 2**20


class PictureSink(Protocol):
    """Takes pictures one after the other, as :class:`~tracker.sinks.video.sink.VideoSink` does."""

    def write(self, canvas_bgr: ImageArray, time_s: float) -> None:
        """Append ``(H, W, 3)`` BGR uint8, shown from ``time_s`` (seconds) on."""


class LookBackSink(Closing):
    """Hands pictures to ``sink`` :data:`BEHIND_S` later, the newcomers of ``anonymiser`` blurred in them.

    A face walks in, or turns to the camera, some frames before the detector is sure. At most 256 MiB of
    pictures wait. What is written is changed in place until it is handed on; ``sink`` is not closed.
    """

    def __init__(self, sink: PictureSink, anonymiser: Anonymiser) -> None:
        self._sink = sink
        self._anonymiser = anonymiser
        self._waiting: deque[tuple[ImageArray, float]] = deque()
        self._bytes = 0

    def write(self, canvas_bgr: ImageArray, time_s: float) -> None:
        """Take the picture that the anonymiser has just hidden, with what is drawn on it."""
        for picture, shown_s in self._waiting:
            growth = 1 + _GROWTH_PER_S * abs(time_s - shown_s)
            blur_heads(picture, [head.grown(growth) for head in self._anonymiser.newcomers])
        self._waiting.append((canvas_bgr, time_s))
        self._bytes += canvas_bgr.nbytes
        while self._waiting and (self._bytes > _MOST_BYTES or time_s - self._waiting[0][1] > BEHIND_S):
            self._hand_on()

    def close(self) -> None:
        """Hand on what still waits; closing twice is fine."""
        while self._waiting:
            self._hand_on()

    def _hand_on(self) -> None:
        picture, shown_s = self._waiting.popleft()
        self._bytes -= picture.nbytes
        self._sink.write(picture, shown_s)
