"""Generated videos and images, and a network camera, for tests."""

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
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame

from benchmarks.mjpeg import MjpegServer, Picture
from tests.faces import astronaut
from tracker.types import ImageArray

AUDIO_RATE = 44_100


N_PICTURES = 64


def picture(index: int, width: int = 64, height: int = 48) -> ImageArray:
    """Return a grey picture with a bright top-left corner and six bars that show ``index`` in binary."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[: height // 4, : width // 4] = 255
    for bit, bar in enumerate(_bars(image)):
        bar[:] = 255 * (index >> bit & 1)
    return image


def picture_index(image: ImageArray) -> int:
    """Return the ``index`` (modulo ``N_PICTURES``) of a :func:`picture`, even after lossy coding."""
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
    """Write a H.264 video of :func:`picture` at 30 fps, or at the given presentation ``ticks``.

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
        sound = add_tone_stream(out, audio) if audio else None
        written = 0
        for index, pts in enumerate(times):
            frame = VideoFrame.from_ndarray(picture(index, *size), format="bgr24")
            frame.pts, frame.time_base, frame.duration = pts, tick, round(1 / (30 * tick))
            out.mux(video.encode(frame))
            while sound and written / AUDIO_RATE < (pts + frame.duration) * tick:
                out.mux(sound.encode(tone(written)))
                written += 1024
        out.mux(video.encode(None))
        if sound:
            out.mux(sound.encode(None))


def add_tone_stream(out: OutputContainer, codec: str, rate: int = AUDIO_RATE) -> AudioStream:
    """Add a one-channel sound stream for :func:`tone`."""
    stream = out.add_stream(codec, rate=rate, layout="mono")
    assert isinstance(stream, AudioStream)
    stream.bit_rate = 64_000
    return stream


def face_video(path: Path, count: int = 20, fps: int = 25) -> Path:
    """Write ``count`` frames of the portrait, drifting to the left, 320x320; return ``path``."""
    portrait = astronaut()
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "g": "5"})
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuv420p"
        for index in range(count):
            image: ImageArray = np.ascontiguousarray(portrait[20:340, 20 + index % 40 : 340 + index % 40])
            out.mux(stream.encode(VideoFrame.from_ndarray(image, format="bgr24")))
        out.mux(stream.encode(None))
    return path


def frame_count(path: Path) -> int:
    """Return how many frames the video at ``path`` decodes to."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def packet_bytes(path: Path, kind: str) -> list[tuple[float, bytes]]:
    """Return presentation time in seconds and content of every packet of the first ``kind`` stream."""
    with av.open(str(path)) as container:
        stream = next(s for s in container.streams if s.type == kind)
        packets = []
        for packet in container.demux(stream):
            if packet.size:
                assert packet.pts is not None
                assert packet.time_base is not None
                packets.append((float(packet.pts * packet.time_base), bytes(packet)))
        return packets


def exif_block(orientation: int) -> bytes:
    """Return an EXIF block that holds the orientation only."""
    return struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, orientation, 0, 0)


def jpeg_with_exif(image: ImageArray, orientation: int) -> bytes:
    """Return a JPEG with an APP1 segment right after its start marker (EXIF 2.3, 4.5.4)."""
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes()
    payload = b"Exif\0\0" + exif_block(orientation)
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """Return a PNG chunk: length, kind, payload, checksum."""
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))


def png_with_chunk(data: bytes, kind: bytes, payload: bytes) -> bytes:
    """Return the PNG ``data`` with one more chunk after its header."""
    return data[:33] + png_chunk(kind, payload) + data[33:]


def with_hidden_frame(jpeg: bytes, marker: bytes) -> bytes:
    """Return ``jpeg`` with a frame of 16x16 in a comment: there reads on who gives ``marker`` a length."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 8, 8, 16, 16, 0) + b"\xff\xda"
    first = _comment(bytes(40_000))  # FF FE, with which it begins, would be the length
    skipped = bytes(0xFFFE - len(first) - 4)
    return jpeg[:2] + marker + first + _comment(skipped + frame) + jpeg[2:]


def _comment(payload: bytes) -> bytes:
    return b"\xff\xfe" + struct.pack(">H", len(payload) + 2) + payload


def start_camera(port: int = 0) -> MjpegServer:
    """Start a network camera that shows :func:`picture`; the caller kills it. A ``port`` can be reused."""
    return MjpegServer(50.0, picture, port)


@contextmanager
def mjpeg_server(
    fps: float = 50.0, shows: Callable[[int], Picture] = picture, port: int = 0
) -> Iterator[MjpegServer]:
    """Run a network camera and kill it at the end."""
    server = MjpegServer(fps, shows, port)
    try:
        yield server
    finally:
        server.kill()


def tone(start: int, rate: int = AUDIO_RATE, hz: float = 440) -> AudioFrame:
    """Return 1024 samples of a sine, from sample ``start`` on."""
    wave = np.sin(2 * np.pi * hz * (start + np.arange(1024)) / rate).astype(np.float32)[None] / 4
    frame = AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame
