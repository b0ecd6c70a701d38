"""Sound tracks of the input, copied or encoded into the output."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from tracker.sinks.video.formats import Format
from tracker.sinks.video.sound_tracks import CopiedTrack, EncodedTrack
from tracker.sources.film import Film
from tracker.sources.video.container import open_container

_MAX_FAILURES = 64
_RESTART_S = 0.5  # by which times run back where another recording begins
# libav knows QuickTime's old language codes by these names only.
_QUICKTIME_LANGUAGES = {
    "deu": "ger", "ell": "gre", "isl": "ice", "nld": "dut", "sqi": "alb", "swe": "sve", "zho": "chi",
}  # fmt: skip


class SoundCopy:
    """Sound tracks of ``film`` from its start on, written to ``container`` as time advances.

    Packets are copied where ``form`` can hold them, else decoded and encoded, at most in stereo. Tracks keep
    their language, title and disposition. Damaged packets are left out: the reader of the pictures reports
    damage. Tracks are never kept in memory.
    """

    def __init__(self, film: Film, container: OutputContainer, form: Format) -> None:
        self._film = film
        self._input = open_container(film.path)
        # Without a decoder a stream can neither be copied reliably nor encoded.
        streams = [s for s in self._input.streams.audio if s.codec_context is not None]
        self._tracks = {stream.index: _open_track(stream, container, form) for stream in streams}
        self._packets = self._read(self._input, streams)
        self._next = next(self._packets, None)

    def advance(self, until_s: float) -> None:
        """Write all packets that start before ``until_s``, in seconds of the film."""
        start_s, shifts_s = self._film.trim.start_s, self._film.shifts_s
        while self._next is not None:
            packet, part = self._next
            if part >= len(shifts_s) and math.isfinite(until_s):
                return  # a recording whose pictures have not begun
            shift_s = shifts_s[min(part, len(shifts_s) - 1)]
            time_s = _start_time_s(packet) + shift_s
            if time_s >= until_s:
                return
            if start_s == 0 or time_s >= start_s:  # some starts below 0
                self._tracks[packet.stream_index].write(_moved(packet, shift_s - start_s))
            self._next = next(self._packets, None)

    def flush(self) -> None:
        """Write the frames that encoders still buffer."""
        for track in self._tracks.values():
            track.flush()

    def close(self) -> None:
        """Close the input."""
        self._input.close()

    def _read(
        self, container: InputContainer, streams: list[AudioStream]
    ) -> Iterator[tuple[Packet[AudioStream], int]]:
        """Yield each packet, and the number of its recording: several may be joined in the file."""
        failures = 0
        packets = container.demux(streams)
        last_s, parts = dict.fromkeys(self._tracks, -math.inf), dict.fromkeys(self._tracks, 0)
        while failures < _MAX_FAILURES:
            try:
                packet = next(packets, None)
            except av.FFmpegError:  # the reader of the pictures reports the same damage
                failures += 1
                packets = container.demux(streams)
                continue
            if packet is None:
                return
            failures = 0
            if packet.size and packet.dts is not None:
                time_s = float(packet.dts * packet.time_base)
                parts[packet.stream_index] += time_s < last_s[packet.stream_index] - _RESTART_S
                last_s[packet.stream_index] = time_s
                yield cast("Packet[AudioStream]", packet), parts[packet.stream_index]


def _open_track(stream: AudioStream, container: OutputContainer, form: Format) -> CopiedTrack | EncodedTrack:
    sound = stream.codec_context
    supported = container.supported_codecs if form.copied is None else form.copied
    # MP4 lists these codecs, but cannot hold their packets unchanged: AAC from a transport stream, which has
    # its settings in the packets, and raw samples, whose channels may have no layout.
    name = sound.codec.canonical_name  # the decoder of MP3 is called mp3float
    unfit = name == "aac" and not sound.extradata
    unfit |= name.startswith("pcm_") and form.container == "mp4"
    copies = not {name, sound.name}.isdisjoint(supported) and not unfit
    track = CopiedTrack(stream, container) if copies else EncodedTrack(stream, container, form)
    track.stream.metadata.update(_description(stream, form))
    track.stream.disposition = stream.disposition
    return track


def _description(stream: AudioStream, form: Format) -> dict[str, str]:
    """Return language and title of a track, in the words of the output's container."""
    title = stream.metadata.get("title") or stream.metadata.get("name")  # MP4 calls it a name
    language = stream.metadata.get("language")
    if form.container == "mov" and language is not None:
        language = _QUICKTIME_LANGUAGES.get(language, language)
    return {key: text for key, text in (("language", language), ("title", title)) if text}


def _moved(packet: Packet[AudioStream], by_s: float) -> Packet[AudioStream]:
    """Change the times of the packet by ``by_s`` seconds and return it."""
    ticks = round(by_s / packet.time_base)
    packet.dts = None if packet.dts is None else packet.dts + ticks
    packet.pts = None if packet.pts is None else packet.pts + ticks
    return packet


def _start_time_s(packet: Packet[AudioStream]) -> float:
    return float((packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base)
