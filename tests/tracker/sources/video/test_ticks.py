from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import cast

import av
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.media import write_video
from tracker.sources.video.ticks import Ticks, avi_index, stores_decoding_times_only


def _pictures(stream: VideoStream, packet: Packet[Stream]) -> list[VideoFrame]:
    return stream.decode(cast("Packet[VideoStream]", packet))


def test_an_mp4_keeps_its_presentation_times(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 10)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert not stores_decoding_times_only(container)
        assert avi_index(container, stream) == {}
        ticks = Ticks(container, stream, {})
        for packet in container.demux():
            if packet.size:
                assert ticks.of_packet(packet, has_gap=False) == (packet.pts, packet.dts)
            for picture in _pictures(stream, packet):
                assert ticks.of_picture(picture, passed=0) == picture.pts


def test_pictures_of_an_avi_get_its_decoding_times_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write_video(path, 10, tick=Fraction(1, 30))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stores_decoding_times_only(container)
        ticks = Ticks(container, stream, avi_index(container, stream))
        packets = [packet for packet in container.demux() if packet.size]
        pictures = [picture for packet in packets for picture in _pictures(stream, packet)] + stream.decode(
            None
        )
        for packet in packets:
            ticks.of_packet(packet, has_gap=False)
        assert [ticks.of_picture(picture, passed=0) for picture in pictures] == list(range(10))


def test_the_index_of_an_avi_shifts_times_after_a_gap(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    write_video(path, 10, tick=Fraction(1, 30))
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        packets = [packet for packet in container.demux() if packet.size]
        index = {packet.pos or 0: tick for tick, packet in zip((0, 1, 7), packets, strict=False)}
        ticks = Ticks(container, stream, index)
        decoded = [
            ticks.of_packet(packet, has_gap=number == 2)[1] for number, packet in enumerate(packets[:3])
        ]
    assert decoded == [0, 1, 7]
