"""Sound with a hole, in every container that is written: a beep is heard when it was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet
from av.video.frame import VideoFrame

from tests.media import picture
from tests.video_copy import copy_video, frame_times, sound_codecs
from tracker.drawing.picture import Picture
from tracker.sinks.video.formats import SUFFIXES
from tracker.sinks.video.sink import VideoSink
from tracker.sinks.video.sound_tracks import SampleClock
from tracker.sources.trim import Trim
from tracker.sources.video.source import VideoSource

_RATE, _FPS, _SECONDS = 48_000, 25, 4
_BEEPS_S = [0.5, 1.5, 2.5, 3.5]
# MP3 in AVI: the encoder's delay of 1105 samples (LAME) stays, for AVI has no place to state it.
_NEAR_S = 0.03


def _film(path: Path, codec: str, hole_s: tuple[float, float]) -> Path:
    """Write four seconds with a beep of 0.1 s in each, without the packets that start in ``hole_s``."""
    times = np.arange(_SECONDS * _RATE) / _RATE
    is_beep = (times % 1 >= 0.5) & (times % 1 < 0.6)
    samples = np.where(is_beep, 20_000 * np.sin(2 * np.pi * 1000 * times), 0).astype(np.int16)[None]
    with av.open(str(path), "w") as out:
        video = out.add_stream("libx264", rate=_FPS, options={"preset": "ultrafast", "bf": "0"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = out.add_stream(codec, rate=_RATE, layout="mono")
        assert isinstance(sound, AudioStream)

        def mux(packets: Sequence[Packet[AudioStream]]) -> None:
            starts = [(packet, float((packet.pts or 0) * packet.time_base)) for packet in packets]
            out.mux([packet for packet, start_s in starts if not hole_s[0] <= start_s < hole_s[1]])

        for index in range(_SECONDS * _FPS):
            frame = VideoFrame.from_ndarray(picture(index), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, _FPS)
            out.mux(video.encode(frame))
            start, length = index * _RATE // _FPS, _RATE // _FPS
            piece = AudioFrame.from_ndarray(samples[:, start : start + length], format="s16", layout="mono")
            piece.sample_rate, piece.pts, piece.time_base = _RATE, start, Fraction(1, _RATE)
            mux(sound.encode(piece))
        out.mux(video.encode(None))
        mux(sound.encode(None))
    return path


def _beeps_s(path: Path) -> list[float]:
    """Return when each beep begins, by the timestamps of the decoded sound."""
    loud: list[float] = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            assert frame.pts is not None
            assert frame.time_base is not None
            values = np.abs(frame.to_ndarray().reshape(-1, frame.samples)[0].astype(float))
            high = 6000.0 if frame.format.name.startswith("s16") else 0.2
            start_s = float(frame.pts * frame.time_base)
            loud += (start_s + np.flatnonzero(values > high) / frame.sample_rate).tolist()
    return [t for before, t in zip([-1.0, *loud], loud, strict=False) if t - before > 0.3]


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".gif", ".m4v"}))
@pytest.mark.parametrize("codec", ["aac", "libmp3lame", "pcm_s16le", "libopus"])
@pytest.mark.parametrize("hole_s", [(1.7, 2.3), (0.0, 0.4)], ids=["in the middle", "at the start"])
def test_a_hole_moves_nothing(tmp_path: Path, codec: str, suffix: str, hole_s: tuple[float, float]) -> None:
    clip, out = _film(tmp_path / "in.mkv", codec, hole_s), tmp_path / f"out{suffix}"
    assert _beeps_s(clip) == pytest.approx(_BEEPS_S, abs=0.01)
    copy_video(clip, out)
    assert _beeps_s(out) == pytest.approx(_BEEPS_S, abs=_NEAR_S)
    assert len(frame_times(out)) == _SECONDS * _FPS


def test_a_hole_is_filled_in_a_part_of_a_film(tmp_path: Path) -> None:
    clip, out = _film(tmp_path / "in.mkv", "pcm_s16le", (1.7, 2.3)), tmp_path / "out.avi"
    with VideoSource(clip, Trim(start_s=1.0, end_s=3.0)) as source, VideoSink(out, source) as sink:
        for frame in source:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    # The first packet that is written may start up to its length, 40 ms, after the start: no hole.
    assert _beeps_s(out) == pytest.approx([0.5, 1.5], abs=0.05)


@pytest.mark.parametrize(("codec", "name"), [("libmp3lame", "mp3float"), ("ac3", "ac3")])
def test_mov_holds_the_packets_unchanged(tmp_path: Path, codec: str, name: str) -> None:
    clip, out = _film(tmp_path / "in.avi", codec, (9, 9)), tmp_path / "out.mov"
    copy_video(clip, out)
    assert sound_codecs(out) == [name]
    with av.open(str(clip)) as before, av.open(str(out)) as after:
        packets = [[bytes(p) for p in c.demux(audio=0) if p.size] for c in (before, after)]
    assert packets[0] == packets[1]


def test_the_clock_tells_holes_from_imprecise_times() -> None:
    clock = SampleClock(1000, 0)
    assert clock.hole(None) == 0
    assert clock.hole(Fraction(50, 1000)) == 0
    assert clock.hole(Fraction(51, 1000)) == 51
    clock.next = 500
    assert clock.hole(Fraction(1, 10)) == 0  # times that run back fill nothing
    assert clock.hole(Fraction(2)) == 1500


def test_a_clock_without_a_start_begins_with_the_sound() -> None:
    clock = SampleClock(1000)
    assert clock.hole(Fraction(3)) == 0
    assert clock.next == 3000
