"""Container, codecs and options for each suffix of a video file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from tracker.errors import SinkError

if TYPE_CHECKING:  # the command line needs the suffixes at once
    from tracker.sources.film import Film

GIF_LONGEST = 640
"""Longer side of the pictures of a GIF, pixels: it is hardly compressed, 1080p would have 30 MB a second."""

_LIVE_TICK = Fraction(1, 90_000)
_MILLISECOND = Fraction(1, 1000)
_CENTISECOND = Fraction(1, 100)
# veryfast keeps up with the tracker on two cores and looks only ten frames ahead, which bounds memory;
# crf 20 is visually lossless for most pictures. Without B-frames the last packet is the last picture: libav
# takes the track's duration from the last packet, and players drop later pictures.
_X264 = {"preset": "veryfast", "crf": "20", "bf": "0"}
_VP9 = {"deadline": "realtime", "cpu-used": "8", "crf": "24", "b": "0", "row-mt": "1", "lag-in-frames": "0"}
# Fragments of a second, so that a killed run or a full disk leaves a playable video; closing turns them
# into an ordinary MP4. Without delay_moov the timestamp of the first frame would be lost.
_FRAGMENTS = {"movflags": "hybrid_fragmented+delay_moov", "frag_duration": "1000000", "flush_packets": "1"}
# Encoder priming puts sound before time 0; it must not shift the pictures. MP4 and MOV use edit lists.
_FLUSHED = {"flush_packets": "1", "avoid_negative_ts": "disabled"}
_AAC_RATES = frozenset({8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000})
_MP3_RATES = frozenset({16000, 22050, 24000, 32000, 44100, 48000})


@dataclass(frozen=True)
class Format:
    """Output format: libav's names of container, codec and pixel format, and their options.

    Sound in a codec that the container supports (only those in ``copied``, if given) is copied; other sound
    is encoded as ``sound`` at one of ``sound_rates`` (None: without sound). ``tick`` is the resolution of
    timestamps in seconds (None: any). Pictures whose longer side has more than ``longest`` pixels are shrunk.
    ``is_square``: pixels are square, because the format has no place for their ratio (PyAV does not write
    Matroska's DisplayWidth, and VP9 has none), or browsers ignore it (GIF).
    """

    container: str
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: Mapping[str, str] = field(default_factory=lambda: _X264)
    container_options: Mapping[str, str] = field(default_factory=dict)
    tick: Fraction | None = None
    sound: str | None = "aac"
    sound_rates: frozenset[int] = _AAC_RATES
    copied: frozenset[str] | None = None
    longest: int | None = None
    is_square: bool = False

    @property
    def stores_any_time_base(self) -> bool:
        """Return whether the container stores any time base, which must be passed as an option."""
        return "movflags" in self.container_options

    def time_base(self, like: Film | None) -> Fraction:
        """Return the time base of the output in seconds per tick, for the timestamps of ``like`` if given."""
        if self.container == "avi" and like is not None:
            return like.trim.every / like.fps
        finest = like.time_base if like else _LIVE_TICK
        return finest if self.tick is None else max(self.tick, finest)


_AVI_SOUND = frozenset({"pcm_s16le"})  # where silence can fill a pause; see SampleClock
_MOV_SOUND = frozenset({"aac", "mp3", "alac", "ac3", "pcm_s16le", "pcm_s16be", "pcm_s24le"})
_FORMATS = {
    ".mp4": Format("mp4", container_options=_FRAGMENTS),
    ".m4v": Format("mp4", container_options=_FRAGMENTS),
    ".mov": Format("mov", container_options=_FRAGMENTS, copied=_MOV_SOUND),
    ".mkv": Format("matroska", container_options=_FLUSHED, tick=_MILLISECOND),
    ".webm": Format(
        "webm", "libvpx-vp9", options=_VP9, container_options=_FLUSHED, tick=_MILLISECOND,
        sound="libopus", sound_rates=frozenset({48_000}), copied=frozenset({"opus", "vorbis"}),
        is_square=True,
    ),
    ".avi": Format(
        "avi", container_options=_FLUSHED, tick=None,
        sound="libmp3lame", sound_rates=_MP3_RATES, copied=_AVI_SOUND,
    ),
    ".gif": Format(
        "gif", "gif", "rgb8", {}, tick=_CENTISECOND, sound=None, longest=GIF_LONGEST, is_square=True
    ),
}  # fmt: skip

SUFFIXES = frozenset(_FORMATS)
"""Suffixes of the video files that can be written."""


def holds_sound(path: Path) -> bool:
    """Return whether a video named ``path`` would have sound."""
    found = _FORMATS.get(path.suffix.lower())
    return found is not None and found.sound is not None


def format_of(path: Path, like: Film | None) -> Format:
    """Return the format for the suffix of ``path``.

    Raises :class:`~tracker.errors.SinkError` for another suffix, and for a format that cannot hold the
    timestamps of ``like`` (None: of a camera).
    """
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        names = ", ".join(sorted(SUFFIXES))
        raise SinkError(f"cannot write {path}: give the video a name that ends in one of {names}")
    if found.container == "avi" and (like is None or not like.is_steady):
        raise SinkError(
            f"cannot write {path}: AVI has one frame rate, and that of this input varies; use .mkv"
        )
    return found
