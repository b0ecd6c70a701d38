"""Tiny videos, images and a network camera that tests make for themselves."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from benchmarks.mjpeg import MjpegServer, Picture
from tracker.types import ImageArray

AUDIO_RATE = 44_100


N_PICTURES = 64


def picture(index: int, width: int = 64, height: int = 48) -> ImageArray:
    """Grey, a bright top-left corner to tell which way is up, and six bars: ``index`` in binary."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[: height // 4, : width // 4] = 255
    for bit, bar in enumerate(_bars(image)):
        bar[:] = 255 * (index >> bit & 1)
    return image


def picture_index(image: ImageArray) -> int:
    """Which :func:`picture` (modulo ``N_PICTURES``) an image is, whatever a codec did to it."""
    return sum(1 << bit for bit, bar in enumerate(_bars(image)) if bar.mean() > 128)


def _bars(image: ImageArray) -> list[ImageArray]:
    height, width = image.shape[:2]
    return [image[height // 2 :, i * width // 6 : (i + 1) * width // 6] for i in range(6)]


def write_video(
    path: Path,
    n_frames: int = 30,
    size: tuple[int, int] = (64, 48),
    ticks: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 15_360),
    audio: str | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
) -> None:
    """A H.264 video of :func:`picture` at 30 fps, or at the given presentation ``ticks``.

    ``audio`` names a codec for a one-channel tone as long as the video; ``options`` go to the container.
    """
    times = ticks if ticks is not None else [round(i / 30 / tick) for i in range(n_frames)]
    with av.open(str(path), "w", container_options=options or {}) as out:
        video = out.add_stream("libx264", rate=30, options={"preset": "ultrafast", "g": "10", "bf": "2"})
        video.width, video.height = size
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = video.time_base = tick
        if rotation:
            video.set_display_rotation(rotation)
        sound = out.add_stream(audio, rate=AUDIO_RATE, layout="mono") if audio else None
        if sound:
            sound.bit_rate = 64_000
        written = 0
        for index, pts in enumerate(times):
            frame = VideoFrame.from_ndarray(picture(index, *size), format="bgr24")
            frame.pts, frame.time_base, frame.duration = pts, tick, round(1 / (30 * tick))
            out.mux(video.encode(frame))
            while sound and written / AUDIO_RATE < (pts + frame.duration) * tick:
                out.mux(sound.encode(tone(written)))
                written += 1024
        for stream in filter(None, (video, sound)):
            out.mux(stream.encode(None))


def packet_bytes(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Presentation time in seconds and content of every packet of the first ``kind`` stream."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        packets = [p for p in container.demux(stream) if p.size]
        return [(float(p.pts * p.time_base), bytes(p)) for p in packets]


def exif_block(orientation: int) -> bytes:
    """A TIFF block that holds the orientation tag only."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_with_exif(image: ImageArray, orientation: int) -> bytes:
    """A JPEG with an APP1 segment right behind its start marker (EXIF 2.3, 4.5.4)."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    payload = b"Exif\0\0" + exif_block(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """One chunk: length, kind, payload, checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_with_chunk(data: bytes, kind: bytes, payload: bytes) -> bytes:
    """``data`` with one more chunk behind its header."""
    return data[:33] + png_chunk(kind, payload) + data[33:]


def start_camera(port: int = 0) -> MjpegServer:
    """A network camera that shows :func:`picture`; a ``port`` takes the place of a killed one."""
    return MjpegServer(50.0, picture, port)


@contextmanager
def mjpeg_server(
    fps: float = 50.0, shows: Callable[[int], Picture] = picture, port: int = 0
) -> Iterator[MjpegServer]:
    """A network camera, killed at the end."""
    server = MjpegServer(fps, shows, port)
    try:
        yield server
    finally:
        server.kill()


def tone(start: int, rate: int = AUDIO_RATE, hz: float = 440) -> AudioFrame:
    """1024 samples of a sine, from sample ``start`` on."""
    wave = np.sin(2 * np.pi * hz * (start + np.arange(1024)) / rate).astype(np.float32)[None] / 4
    frame = AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame
