"""Sound tracks of the input, copied or encoded into the output."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import av
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet

from tracker.sinks.video.formats import Format
from tracker.sources.video.container import open_container

_MAX_FAILURES = 64
_MAX_GAP_S = 86_400.0  # a packet a day later than the last is damaged


class SoundCopy:
    """Sound tracks of ``source`` from ``start_s`` on, written to ``container`` as time advances.

    Packets are copied where ``form`` can hold them, else decoded and encoded, at most in stereo. Damaged
    packets are left out: the reader of the pictures reports damage. Tracks are never kept in memory.
    """

    def __init__(self, source: Path, container: OutputContainer, form: Format, start_s: float) -> None:
        self._start_s = start_s
        self._input = open_container(source)
        # Without a decoder a stream can neither be copied reliably nor encoded.
        streams = [s for s in self._input.streams.audio if s.codec_context is not None]
        self._tracks = {stream.index: _open_track(stream, container, form) for stream in streams}
        self._packets = self._read(self._input, streams)
        self._next = next(self._packets, None)

    def advance(self, until_s: float) -> None:
        """Write all packets that start before ``until_s``, in seconds of the source."""
        while self._next is not None and _start_time_s(self._next) < until_s:
            if self._start_s == 0 or _start_time_s(self._next) >= self._start_s:  # some starts below 0
                self._tracks[self._next.stream_index].write(self._next, self._start_s)
            self._next = next(self._packets, None)

    def flush(self) -> None:
        """Write the frames that encoders still buffer."""
        for track in self._tracks.values():
            track.flush()

    def close(self) -> None:
        """Close the input."""
        self._input.close()

    def _read(self, container: InputContainer, streams: list[AudioStream]) -> Iterator[Packet[AudioStream]]:
        failures = 0
        packets = container.demux(streams)
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
                yield cast("Packet[AudioStream]", packet)


class _CopiedTrack:
    """Track whose packets are written unchanged."""

    def __init__(self, stream: AudioStream, container: OutputContainer) -> None:
        self._container = container
        self._stream = container.add_stream_from_template(stream)
        self._last: int | None = None

    def write(self, packet: Packet[AudioStream], start_s: float) -> None:
        if not _fits(packet, self._last):
            return
        self._last = packet.dts
        shift = round(start_s / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts - shift
        packet.pts = None if packet.pts is None else packet.pts - shift
        packet.stream = self._stream
        self._container.mux(packet)

    def flush(self) -> None:
        """Do nothing: no packet is buffered."""


class _EncodedTrack:
    """Track that is decoded and encoded, because the output cannot hold its codec."""

    def __init__(self, stream: AudioStream, container: OutputContainer, form: Format) -> None:
        self._container, self._source = container, stream
        sound = stream.codec_context
        # Old codecs may state only the number of channels, not their layout.
        layout = "mono" if sound.channels == 1 else "stereo"
        rate = sound.sample_rate if sound.sample_rate in form.sound_rates else 48_000
        self._stream = cast(AudioStream, container.add_stream(form.sound or "", rate=rate, layout=layout))
        self._last: int | None = None

    def write(self, packet: Packet[AudioStream], start_s: float) -> None:
        if not _fits(packet, self._last):
            return
        self._last = packet.dts
        try:
            frames = self._source.codec_context.decode(packet)
        except av.FFmpegError:  # damaged
            return
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(start_s / frame.time_base)
            self._container.mux(self._stream.encode(frame))

    def flush(self) -> None:
        self._container.mux(self._stream.encode(None))


def _open_track(
    stream: AudioStream, container: OutputContainer, form: Format
) -> _CopiedTrack | _EncodedTrack:
    sound = stream.codec_context
    supported = container.supported_codecs if form.copied is None else form.copied
    # MP4 lists these codecs, but cannot hold their packets unchanged: AAC from a transport stream, which has
    # its settings in the packets, and raw samples, whose channels may have no layout.
    unfit = sound.name == "aac" and not sound.extradata
    unfit |= sound.name.startswith("pcm_") and form.container == "mp4"
    if sound.name in supported and not unfit:
        return _CopiedTrack(stream, container)
    return _EncodedTrack(stream, container, form)


def _fits(packet: Packet[AudioStream], last: int | None) -> bool:
    """Return whether ``packet`` can follow the decoding timestamp ``last``; damaged ones may not."""
    if last is None or packet.dts is None:
        return packet.dts is not None
    return 0 < packet.dts - last < _MAX_GAP_S / packet.time_base


def _start_time_s(packet: Packet[AudioStream]) -> float:
    return float((packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base)
