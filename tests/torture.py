"""Unusual and damaged videos, made by PyAV, with frames counted independently of the tracker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.media import AUDIO_RATE, picture, tone

MILLISECOND = Fraction(1, 1000)
FPS_TICK = Fraction(1, 30)
VFR = [0, 40, 41, 110, 500, 530, 1700, 1733, 1767, 1800, 2900, 2901, 2950, 3000, 3100, 4000]


@dataclass(frozen=True)
class Recipe:
    """Recipe of a clip of :func:`tests.media.picture`; ``ticks`` are frame times in ``tick`` seconds."""

    name: str
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    size: tuple[int, int] = (64, 48)
    ticks: Sequence[int] = tuple(range(24))
    tick: Fraction = FPS_TICK
    codec_options: dict[str, str] = field(default_factory=dict)
    container_options: dict[str, str] = field(default_factory=dict)
    audio: tuple[str, ...] = ()
    rotation: int = 0
    format: str | None = None

    def write(self, folder: Path) -> Path:
        """Write the clip to ``folder`` and return its path."""
        path = folder / self.name
        with av.open(str(path), "w", format=self.format, container_options=self.container_options) as out:
            video = self._video_stream(out)
            sounds = [_sound_stream(out, name) for name in self.audio]
            for index, pts in enumerate(self.ticks):
                frame = VideoFrame.from_ndarray(picture(index, *self.size), format="bgr24")
                frame.pts, frame.time_base = pts, self.tick
                out.mux(video.encode(frame))
            length_s = float(self.ticks[-1] * self.tick)
            for number, sound in enumerate(sounds, 1):
                for start in range(0, int(length_s * sound.rate / 1024) * 1024, 1024):
                    out.mux(sound.encode(tone(start, sound.rate, 440 * number)))
            out.mux(video.encode(None))
            for sound in sounds:
                out.mux(sound.encode(None))
        return path

    def _video_stream(self, out: OutputContainer) -> VideoStream:
        video = out.add_stream(self.codec, rate=round(1 / FPS_TICK), options=self.codec_options)
        assert isinstance(video, VideoStream)
        video.width, video.height = self.size
        video.pix_fmt = self.pix_fmt
        video.codec_context.time_base = video.time_base = self.tick
        if self.rotation:
            video.set_display_rotation(self.rotation)
        return video


X264 = {"preset": "ultrafast", "g": "10"}
B_FRAMES = {"preset": "veryfast", "g": "12", "bf": "3", "b-pyramid": "normal"}
VP9 = {"deadline": "realtime", "cpu-used": "8"}
UNDAMAGED = (
    Recipe("plain.mp4", codec_options=X264, audio=("aac",)),
    Recipe("variable.mp4", codec_options=X264, ticks=VFR, tick=MILLISECOND),
    Recipe("variable.mkv", codec_options=B_FRAMES, ticks=VFR, tick=MILLISECOND, audio=("flac",)),
    Recipe("b_frames.mp4", codec_options=B_FRAMES),
    Recipe("b_frames.avi", codec_options=B_FRAMES),
    Recipe("open_gop.ts", codec_options={**B_FRAMES, "x264-params": "open-gop=1:scenecut=0"}),
    Recipe("turned_90.mp4", codec_options=X264, rotation=90),
    Recipe("turned_180.mov", codec_options=X264, rotation=180),
    Recipe("turned_270.mkv", codec_options=X264, rotation=-90),
    Recipe("odd.mp4", codec_options=X264, size=(63, 47), pix_fmt="yuv444p"),
    Recipe("odd.webm", "libvpx-vp9", size=(61, 49), codec_options=VP9),
    Recipe(
        "ten_bit.mp4",
        "libx265",
        "yuv420p10le",
        codec_options={"preset": "ultrafast", "x265-params": "log-level=0"},
    ),
    Recipe("ten_bit_422.mkv", "libx264", "yuv422p10le", codec_options=X264),
    Recipe("interlaced.ts", codec_options={"preset": "veryfast", "x264-params": "tff=1", "flags": "+ildct"}),
    Recipe("interlaced.mpg", "mpeg2video", codec_options={"flags": "+ildct+ilme", "bf": "2"}),
    Recipe("two_sounds.mkv", codec_options=X264, audio=("aac", "flac")),
    Recipe("no_duration.mkv", codec_options=X264, container_options={"live": "1"}, format="matroska"),
    Recipe("fragments.mp4", codec_options=X264, container_options={"movflags": "frag_keyframe+empty_moov"}),
    Recipe(
        "vp8.webm", "libvpx", codec_options={"auto-alt-ref": "1", "lag-in-frames": "10"}, audio=("libopus",)
    ),
    Recipe("vp9.webm", "libvpx-vp9", codec_options=VP9),
    Recipe("av1.mp4", "libsvtav1", codec_options={"preset": "12"}),
    Recipe("prores.mov", "prores_ks", "yuv422p10le", audio=("pcm_s16le",)),
    Recipe("mjpeg.avi", "mjpeg", "yuvj420p", audio=("pcm_s16le",)),
    Recipe("mpeg4.avi", "mpeg4", codec_options={"bf": "2"}, audio=("libmp3lame",)),
    Recipe("lossless.mkv", "ffv1", "bgr0"),
    Recipe("flash.flv", "flv", tick=MILLISECOND, ticks=[33 * i for i in range(20)]),
    Recipe("windows.wmv", "wmv2"),
    Recipe("animation.gif", "gif", "rgb8", tick=Fraction(1, 100), ticks=[0, 4, 8, 20, 120, 124, 130]),
    Recipe("raw.h264", codec_options=B_FRAMES, format="h264"),
    Recipe(
        "raw.hevc",
        "libx265",
        codec_options={"preset": "ultrafast", "x265-params": "log-level=0"},
        format="hevc",
    ),
    Recipe("one_frame.mp4", codec_options=X264, ticks=[0]),
    Recipe("mkv_in_truth.mp4", codec_options=X264, format="matroska"),
)
"""Recipes of undamaged clips."""


@dataclass(frozen=True)
class Injury:
    """Damage of a clip from the fraction ``start`` of its bytes to ``end``, ``None`` for a truncated clip."""

    recipe: str
    start: float
    end: float | None
    fill: int = 0

    def apply(self, path: Path) -> int:
        """Damage the file. Returns the first byte that is wrong or missing."""
        data = bytearray(path.read_bytes())
        first = int(len(data) * self.start)
        if self.end is None:
            del data[first:]
        else:
            last = int(len(data) * self.end)
            data[first:last] = bytes([self.fill]) * (last - first)
        path.write_bytes(data)
        return first


INJURIES = (
    Injury("variable.mkv", 0.6, None),
    Injury("b_frames.mp4", 0.4, 0.5),
    Injury("open_gop.ts", 0.5, 0.6, 0xFF),
    Injury("turned_180.mov", 0.4, 0.5),
    Injury("two_sounds.mkv", 0.5, 0.55),
    Injury("fragments.mp4", 0.6, None),
    Injury("no_duration.mkv", 0.6, None),
    Injury("vp8.webm", 0.6, None),
    Injury("vp9.webm", 0.6, 0.65),
    Injury("av1.mp4", 0.45, 0.5),
    Injury("prores.mov", 0.5, 0.6),
    Injury("mjpeg.avi", 0.5, 0.6),
    Injury("mpeg4.avi", 0.6, None),
    Injury("lossless.mkv", 0.5, 0.6),
    Injury("flash.flv", 0.6, None),
    Injury("animation.gif", 0.6, None),
    Injury("raw.h264", 0.57, None),  # within a large slice: x264 does not write the same bytes each time
)


def counted(path: Path) -> tuple[int, list[float] | None]:
    """Return how many video frames PyAV's demuxer finds, and their sorted times if the file has any."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [p for p in container.demux(stream) if p.size and not p.is_discard]
        stored = "dts" if container.format.name in ("avi", "asf") else "pts"
        ticks = [getattr(p, stored) for p in packets]
    if None in ticks:
        return len(packets), None
    return len(packets), sorted(float(t * (p.time_base or 0)) for t, p in zip(ticks, packets, strict=True))


def _sound_stream(out: OutputContainer, codec: str) -> AudioStream:
    stream = out.add_stream(codec, rate=48_000 if codec == "libopus" else AUDIO_RATE, layout="mono")
    assert isinstance(stream, AudioStream)
    return stream
