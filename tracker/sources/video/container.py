"""Opening of video containers: the file, its video stream and its frame rate."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from tracker.errors import SourceError
from tracker.sources.limits import MAX_PIXELS, check_size
from tracker.system.addresses import is_elsewhere, masked

_MAX_FPS = 1000
_FALLBACK_FPS = Fraction(30)
# These demuxers open further files or addresses that the file names, or read no file at all.
# fmt: off
_INDIRECT = frozenset({
    "applehttp", "concat", "concatf", "dash", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp",
    "webm_dash_manifest",
})
# fmt: on
_DEMUXERS = ",".join(sorted(av.formats_available - _INDIRECT))


def open_container(path: Path, forward: BinaryIO | None = None) -> InputContainer:
    """Open the file ``path`` for demuxing.

    Only this one file is read: a playlist opens no other file and no connection. With ``forward``, which is
    the open file, it is read from front to back without seeking.

    Raises:
        SourceError: The file is missing, empty or not a video.
    """
    if is_elsewhere(str(path)):
        raise SourceError(f"{masked(str(path))} is not a file; for an address use --camera URL")
    try:
        if path.is_file() and path.stat().st_size == 0:
            raise SourceError(f"{path} is empty: give a video file")
        options = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}
        file = _ForwardFile(forward) if forward else str(path.absolute())
        return av.open(file, "r", container_options=options, metadata_errors="replace")
    except av.InvalidDataError as error:
        raise SourceError(f"{path} is not a video, or too damaged to be opened") from error
    except (OSError, av.FFmpegError) as error:
        raise SourceError(f"cannot open {path}: {error.strerror}") from error


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """Return the main video stream of ``container``, which was opened from ``path``.

    Raises:
        SourceError: There is none, its codec is unknown, or its frames are too large.
    """
    stream = main_video_stream(container)
    if stream is None:
        raise SourceError(f"{path} holds no video: give a video file")
    codec = stream.codec_context
    if codec is None:  # PyAV's type stubs say that this cannot be
        raise SourceError(f"{path} holds video of a kind that cannot be decoded here: convert it")
    check_size(path, codec.width, codec.height)
    codec.options = {"max_pixels": str(MAX_PIXELS)}
    return stream


def main_video_stream(container: InputContainer) -> VideoStream | None:
    """Return the video stream that players show: the first one marked as default, else the first.

    Cover art of a music file, a video stream of one picture, does not count. ``None`` without any.
    """
    streams = [s for s in container.streams.video if not s.disposition & Disposition.attached_pic]
    # The still picture of an animated AVIF is a stream without a duration, before that of the animation.
    streams = [s for s in streams if s.duration or s.frames != 1] or streams
    marked = (stream for stream in streams if stream.disposition & Disposition.default)
    return next(marked, streams[0] if streams else None)


def frame_rate(container: InputContainer, stream: VideoStream) -> Fraction:
    """Return the average frame rate in frames per second, 30 where none or an impossible one is stated."""
    # For a raw stream, which has no duration, libav reports an average of 25 whatever it holds.
    rates = (stream.average_rate, stream.guessed_rate)
    stated = next(filter(None, rates if container.duration is not None else reversed(rates)), None)
    return Fraction(stated) if stated and 0 < stated <= _MAX_FPS else _FALLBACK_FPS


class _ForwardFile:
    """File object without ``seek``, which makes libav read it from front to back."""

    def __init__(self, file: BinaryIO) -> None:
        self.read = file.read
