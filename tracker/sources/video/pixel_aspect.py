"""Pixel aspect ratios of films and streams: the width of a pixel over its height, picture by picture."""

from __future__ import annotations

from fractions import Fraction

from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.video.picture import orientation_of
from tracker.types import MAX_PIXEL_ASPECT

_BARE_JPEG = frozenset({"jpeg_pipe", "mjpeg", "mpjpeg"})
"""Demuxers of JPEG after JPEG. Their densities are those of a printer, and browsers show square pixels."""


class PixelAspects:
    """Pixel aspect ratios of the pictures of one stream, as ffmpeg shows them.

    What the container states counts for the whole stream, else what the codec states, which may change at any
    key frame. A ratio that is not stated, or beyond :data:`~tracker.types.MAX_PIXEL_ASPECT`, is 1. Make it
    before the first picture is decoded.
    """

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        self._codec = stream.codec_context
        self._coded = self._codec.sample_aspect_ratio
        guess = stream.sample_aspect_ratio  # the container's if it states one, else the codec's at the start
        self._of_container = guess if guess != self._coded else None
        self._is_square = container.format.name in _BARE_JPEG

    def of_next(self, picture: VideoFrame) -> Fraction:
        """Return that of the next ``picture``, turned upright; call it for each, as soon as it is decoded."""
        # The decoder is some pictures ahead of those that it returns, but not at the first one of a sequence.
        if picture.key_frame:
            self._coded = self._codec.sample_aspect_ratio
        aspect = Fraction(1) if self._is_square else plausible(self._of_container or self._coded)
        return 1 / aspect if aspect != 1 and orientation_of(picture).transposed else aspect


def plausible(aspect: Fraction | None) -> Fraction:
    """Return ``aspect``, or 1 where it is None, 0 or beyond what films have."""
    if not aspect or not 1 / MAX_PIXEL_ASPECT <= aspect <= MAX_PIXEL_ASPECT:
        return Fraction(1)
    return Fraction(aspect)


def aspect_text(pixel_aspect: float) -> str:
    """Return the ratio as text, such as ``16:15``."""
    ratio = simple_ratio(pixel_aspect)
    return f"{ratio.numerator}:{ratio.denominator}"


def simple_ratio(pixel_aspect: float) -> Fraction:
    """Return the ratio of two numbers of 16 bits, as codecs store it, that ``pixel_aspect`` was made of."""
    return Fraction(pixel_aspect).limit_denominator(2**16 // int(MAX_PIXEL_ASPECT) - 1)
