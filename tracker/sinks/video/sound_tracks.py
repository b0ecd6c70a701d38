"""One sound track of an output: packets that are copied, or decoded and encoded again."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.packet import Packet

from tracker.sinks.video.formats import Format

_MAX_GAP_S = 86_400.0  # a packet a day later than the last is damaged
_JITTER_S = 0.05  # timestamps of continuous sound are this imprecise in some containers


class SampleClock:
    """Place of each piece of sound in the output, in samples at ``rate`` per second.

    Timestamps within 50 ms of the end of the piece before are imprecise: the sound goes on. Beyond, packets
    are missing. AVI, and MOV for raw samples, know no times: they count samples, so that what follows a hole
    would come too early. For these, tracks write silence into the hole, also into one at the beginning.
    """

    def __init__(self, rate: int, start: int | None = None) -> None:
        self.rate = rate
        self.next = start

    def hole(self, time_s: Fraction | None) -> int:
        """Return the number of samples missing before the piece at ``time_s`` (None: unknown)."""
        if time_s is None:
            return 0
        at = round(time_s * self.rate)
        if self.next is None:
            self.next = at
        return at - self.next if at - self.next > _JITTER_S * self.rate else 0


class CopiedTrack:
    """Track whose packets are written unchanged."""

    def __init__(self, stream: AudioStream, container: OutputContainer) -> None:
        self._container = container
        self.stream = container.add_stream_from_template(stream)
        self._last: int | None = None
        sound, name = stream.codec_context, stream.codec_context.name
        # Silence is zeros in the signed formats that can be copied.
        self._block = sound.channels * int(name[5:7]) // 8 if name.startswith("pcm_s") else 0
        counts = self._block > 0 and container.format.name in ("avi", "mov")
        self._clock = SampleClock(sound.sample_rate, 0) if counts else None

    def write(self, packet: Packet[AudioStream]) -> None:
        """Write the packet, unless its timestamp is damaged."""
        if not _fits(packet, self._last):
            return
        self._last = packet.dts
        if self._clock is not None:
            self._fill(self._clock, packet)
        packet.stream = self.stream
        self._container.mux(packet)

    def flush(self) -> None:
        """Do nothing: no packet is buffered."""

    def _fill(self, clock: SampleClock, packet: Packet[AudioStream]) -> None:
        hole = clock.hole(_time_s(packet))
        start = clock.next or 0
        for count in _pieces(hole, clock.rate):
            silence = Packet(bytes(count * self._block))
            silence.time_base = Fraction(1, clock.rate)
            silence.dts = silence.pts = start
            silence.duration = count
            silence.stream = self.stream
            self._container.mux(silence)
            start += count
        clock.next = start + packet.size // self._block


class EncodedTrack:
    """Track that is decoded and encoded, because the output cannot hold its codec."""

    def __init__(self, stream: AudioStream, container: OutputContainer, form: Format) -> None:
        self._container, self._source = container, stream
        sound = stream.codec_context
        # Old codecs may state only the number of channels, not their layout.
        layout = "mono" if sound.channels == 1 else "stereo"
        rate = sound.sample_rate if sound.sample_rate in form.sound_rates else 48_000
        self.stream = cast(AudioStream, container.add_stream(form.sound or "", rate=rate, layout=layout))
        self._last: int | None = None
        self._counts = form.container == "avi"
        self._clock: SampleClock | None = None

    def write(self, packet: Packet[AudioStream]) -> None:
        """Decode the packet and write what the encoder gives; damaged ones are left out."""
        if not _fits(packet, self._last):
            return
        self._last = packet.dts
        try:
            frames = self._source.codec_context.decode(packet)
        except av.FFmpegError:  # damaged
            return
        for frame in frames:
            for piece in self._placed(frame):
                self._container.mux(self.stream.encode(piece))

    def flush(self) -> None:
        """Write the frames that the encoder still buffers."""
        self._container.mux(self.stream.encode(None))

    def _placed(self, frame: AudioFrame) -> Iterator[AudioFrame]:
        """Yield the frame at its place, in ticks of a sample, after the silence that must precede it."""
        if self._clock is None:  # the decoder may find another rate than the header states
            self._clock = SampleClock(frame.sample_rate, 0 if self._counts else None)
        clock = self._clock
        time_base = frame.time_base or Fraction(1, clock.rate)
        hole = clock.hole(None if frame.pts is None else frame.pts * time_base)
        start = clock.next or 0
        for count in _pieces(hole if self._counts else 0, clock.rate):
            yield _at(_silence(frame, count), start, clock.rate)
            start += count
        start += 0 if self._counts else hole
        clock.next = start + frame.samples
        yield _at(frame, start, clock.rate)


def _pieces(hole: int, rate: int) -> Iterator[int]:
    """Yield the lengths of pieces of a second that fill ``hole`` samples: memory stays small."""
    for done in range(0, hole, rate):
        yield min(rate, hole - done)


def _silence(like: AudioFrame, samples: int) -> AudioFrame:
    frame = AudioFrame(format=like.format, layout=like.layout, samples=samples)
    for plane in frame.planes:
        plane.update((b"\x80" if like.format.name.startswith("u8") else b"\0") * plane.buffer_size)
    frame.sample_rate = like.sample_rate
    return frame


def _at(frame: AudioFrame, pts: int, rate: int) -> AudioFrame:
    frame.pts, frame.time_base = pts, Fraction(1, rate)
    return frame


def _time_s(packet: Packet[AudioStream]) -> Fraction | None:
    return None if packet.dts is None else packet.dts * packet.time_base


def _fits(packet: Packet[AudioStream], last: int | None) -> bool:
    """Return whether ``packet`` can follow the decoding timestamp ``last``; damaged ones may not."""
    if last is None or packet.dts is None:
        return packet.dts is not None
    return 0 < packet.dts - last < _MAX_GAP_S / packet.time_base
