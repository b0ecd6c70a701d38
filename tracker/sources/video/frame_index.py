"""Index of the frames of a video file, read from its packets, and decoding from any of them on."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tracker.sources.video.picture import PictureConverter
from tracker.sources.video.pixel_aspect import PixelAspects
from tracker.sources.video.reader import OpenVideo
from tracker.sources.video.ticks import stores_decoding_times_only
from tracker.types import Frame

# Every packet of these codecs shows one picture; VP8 and MPEG-4 store some that are never shown.
# fmt: off
_ONE_PACKET_A_PICTURE = frozenset({
    "av1", "ffv1", "h264", "hevc", "libdav1d", "libvpx-vp9", "mjpeg", "prores", "vp9",
})
# fmt: on


class NotIndexableError(Exception):
    """The packets of a file do not tell its frames, as where some are damaged or show nothing."""


@dataclass(frozen=True)
class FrameIndex:
    """Presentation times of all frames of an undamaged video file.

    ``ticks`` are in order, ``keys`` those of frames that can be decoded on their own; both count
    ``time_base`` seconds.
    """

    path: Path
    ticks: tuple[int, ...]
    keys: tuple[int, ...]
    time_base: Fraction

    @classmethod
    def of(cls, path: Path) -> FrameIndex:
        """Read the index of the file ``path``.

        Raises:
            NotIndexableError: Frames cannot be told from packets; read the file from its beginning.
            SourceError: The file does not open.
        """
        with OpenVideo(path) as video:
            container, stream = video.container, video.stream
            if (
                stores_decoding_times_only(container)
                or stream.codec_context.name not in _ONE_PACKET_A_PICTURE
            ):
                raise NotIndexableError(f"{path.name}: packets do not tell frames")
            try:
                packets = [_checked(packet) for packet in container.demux(stream) if packet.size]
            except av.FFmpegError as error:
                raise NotIndexableError(f"{path.name}: {error}") from error
            ticks = sorted(tick for tick, _ in packets)
            keys = sorted(tick for tick, is_key in packets if is_key)
            if len(set(ticks)) < len(ticks) or not keys or keys[0] != ticks[0] or stream.time_base is None:
                raise NotIndexableError(f"{path.name}: times are repeated, or the first frame is missing")
            return cls(path, tuple(ticks), tuple(keys), stream.time_base)

    @cached_property
    def times_s(self) -> tuple[float, ...]:
        """Presentation times of all frames in seconds."""
        return tuple(float(tick * self.time_base) for tick in self.ticks)

    def frames_from(self, first: int, source: str) -> Iterator[Frame]:
        """Decode the frames from number ``first`` on, exactly as a :class:`VideoSource` yields them.

        Raises:
            NotIndexableError: A frame is damaged, missing or not where the index has it.
        """
        converter = PictureConverter()
        with OpenVideo(self.path) as video:
            aspects = PixelAspects(video.container, video.stream)
            index = first
            for picture in self._pictures_from(video, self.ticks[first]):
                if index >= len(self.ticks) or picture.pts != self.ticks[index] or picture.is_corrupt:
                    raise NotIndexableError(f"{self.path.name}: frame {index} is not where it should be")
                image, aspect = converter.upright_picture(picture), float(aspects.of_next(picture))
                yield Frame(image, index, self.times_s[index], source, pixel_aspect=aspect)
                index += 1
            if index < len(self.ticks):
                raise NotIndexableError(f"{self.path.name}: frame {index} cannot be decoded")

    def _pictures_from(self, video: OpenVideo, tick: int) -> Iterator[VideoFrame]:
        """Yield the pictures from ``tick`` on, decoded from the last key frame before it."""
        key = self.keys[bisect_right(self.keys, tick) - 1]
        video.stream.thread_type = "AUTO"
        try:
            video.container.seek(key, stream=video.stream)
            for picture in video.container.decode(video.stream):
                if picture.pts is None or picture.pts >= tick:
                    yield picture
        except av.FFmpegError as error:
            raise NotIndexableError(f"{self.path.name}: {error}") from error


def _checked(packet: Packet[VideoStream]) -> tuple[int, bool]:
    """Return the presentation tick of a packet, and whether it can be decoded on its own."""
    if packet.pts is None or packet.is_corrupt or packet.is_discard:
        raise NotIndexableError("a packet is damaged, hidden or has no time")
    return packet.pts, packet.is_keyframe
