"""The sound of a video, carried over into the video that is written."""

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
_LONGEST_GAP_S = 86_400.0  # a packet a day later than the last is damaged


class SoundCopy:
    """All sound tracks of ``source``, from ``start_s`` on, fed to ``container`` as time advances.

    They are never held whole. Packets are copied where ``form`` can hold them, else decoded and encoded, at
    most in stereo. Damaged ones are left out: the pictures' reader reports damage.
    """

    def __init__(self, source: Path, container: OutputContainer, form: Format, start_s: float) -> None:
        self._start_s = start_s
        self._input = open_container(source)
        # What no decoder here knows can neither be copied nor encoded with certainty.
        streams = [s for s in self._input.streams.audio if s.codec_context is not None]
        self._tracks = {stream.index: _track(stream, container, form) for stream in streams}
        self._packets = self._read(self._input, streams)
        self._next = next(self._packets, None)

    def advance(self, until_s: float) -> None:
        """Write every packet that starts before ``until_s`` seconds of the source."""
        while self._next is not None and _begin_s(self._next) < until_s:
            if self._start_s == 0 or _begin_s(self._next) >= self._start_s:  # some begins below 0
                self._tracks[self._next.stream_index].write(self._next, self._start_s)
            self._next = next(self._packets, None)

    def flush(self) -> None:
        """Write what encoders still hold."""
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
            except av.FFmpegError:  # the pictures' reader meets the same damage and reports it
                failures += 1
                packets = container.demux(streams)
                continue
            if packet is None:
                return
            failures = 0
            if packet.size and packet.dts is not None:
                yield cast("Packet[AudioStream]", packet)


class _Copied:
    """A track whose packets go into the output as they are."""

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
        """Nothing is held."""


class _Encoded:
    """A track that the output cannot hold as it is."""

    def __init__(self, stream: AudioStream, container: OutputContainer, form: Format) -> None:
        self._container, self._source = container, stream
        sound = stream.codec_context
        # Old codecs may not say which channels they hold, only how many.
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


def _track(stream: AudioStream, container: OutputContainer, form: Format) -> _Copied | _Encoded:
    sound = stream.codec_context
    held = container.supported_codecs if form.copied is None else form.copied
    # Two kinds that MP4 names but whose packets do not fit as they are: AAC from a transport stream, whose
    # settings lie in its packets, and raw samples, whose channels may have no known places.
    misfit = sound.name == "aac" and not sound.extradata
    misfit |= sound.name.startswith("pcm_") and form.container == "mp4"
    if sound.name in held and not misfit:
        return _Copied(stream, container)
    return _Encoded(stream, container, form)


def _fits(packet: Packet[AudioStream], last: int | None) -> bool:
    """Whether ``packet`` can follow one decoded at tick ``last``; only damaged ones cannot."""
    if last is None or packet.dts is None:
        return packet.dts is not None
    return 0 < packet.dts - last < _LONGEST_GAP_S / packet.time_base


def _begin_s(packet: Packet[AudioStream]) -> float:
    return float((packet.pts if packet.pts is not None else packet.dts or 0) * packet.time_base)
