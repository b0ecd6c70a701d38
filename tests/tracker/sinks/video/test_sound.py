from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.video.frame import VideoFrame

from tests.cache import Clips
from tests.media import AUDIO_RATE, packet_bytes, picture, write_video
from tests.video_copy import (
    copy_video,
    frame_times,
    read_video,
    sound_codecs,
    sound_duration_s,
    sound_samples,
)
from tracker.sinks.video.formats import SUFFIXES


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "libmp3lame"), (".mkv", "flac")])
def test_packets_that_mp4_can_hold_are_copied(tmp_path: Path, clips: Clips, suffix: str, codec: str) -> None:
    clip, out = clips.pictures(45, suffix, audio=codec), tmp_path / "out.mp4"
    copy_video(clip, out)
    expected, copied = packet_bytes(clip, "audio"), packet_bytes(out, "audio")
    assert [data for _, data in copied] == [data for _, data in expected]
    np.testing.assert_allclose([t for t, _ in copied], [t for t, _ in expected], atol=1.1e-3)


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".asf", "wmav2"),
        (".ts", "aac"),  # its settings are in the packets, where MP4 does not look for them
        (".mkv", "pcm_s16le"),
        (".mov", "pcm_s16le"),
    ],
)
def test_other_sound_becomes_aac_in_mp4(tmp_path: Path, clips: Clips, suffix: str, codec: str) -> None:
    out = tmp_path / "out.mp4"
    copy_video(clips.pictures(60, suffix, audio=codec), out)
    assert sound_codecs(out) == ["aac"]
    samples, _ = sound_samples(out)
    assert len(samples) / AUDIO_RATE == pytest.approx(2.0, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples[20_000 : 20_000 + AUDIO_RATE]))
    assert abs(int(spectrum.argmax()) - 440) <= 1  # one second of samples: a bin is a hertz


def test_stereo_of_a_high_sample_rate_is_encoded(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mkv", tmp_path / "out.mp4"
    with av.open(str(clip), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s24le", rate=192_000, layout="stereo")
        assert isinstance(sound, AudioStream)
        for index in range(25):
            container.mux(video.encode(VideoFrame.from_ndarray(picture(index), format="bgr24")))
            silence = np.zeros((1, 2 * 7680), np.int32)
            frame = AudioFrame.from_ndarray(silence, format="s32", layout="stereo")
            frame.sample_rate, frame.pts = 192_000, index * 7680
            container.mux(sound.encode(frame))
        container.mux(video.encode(None))
        container.mux(sound.encode(None))
    copy_video(clip, out)
    assert sound_codecs(out) == ["aac"]
    assert sound_duration_s(out) == pytest.approx(1.0, abs=0.1)


def test_sound_stops_with_the_last_frame_written(tmp_path: Path, clips: Clips) -> None:
    out = tmp_path / "out.mp4"
    copy_video(clips.pictures(90, audio="aac"), out, stop_after=30)
    assert 0.9 < packet_bytes(out, "audio")[-1][0] < 1.0


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".gif"}))
@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
def test_sound_before_time_0_does_not_shift_the_pictures(
    tmp_path: Path, clips: Clips, kind: str, suffix: str
) -> None:
    clip, out = clips.pictures(30, audio="aac"), tmp_path / f"out{suffix}"
    if kind != ".mp4":
        copy_video(clip, tmp_path / f"in{kind}")
        clip = tmp_path / f"in{kind}"
    assert packet_bytes(clip, "audio")[0][0] < 0  # the priming samples of AAC's encoder
    times = copy_video(clip, out)
    np.testing.assert_allclose(read_video(out)[0], times, atol=0.51e-3)


def test_damaged_sound_does_not_stop_the_video(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mkv", tmp_path / "out.webm"
    write_video(clip, 60, audio="aac")  # WebM cannot hold AAC: it must be decoded
    with av.open(str(clip)) as container:
        place, size = next((p.pos, p.size) for p in container.demux(audio=0) if p.pts and p.pts > 700)
    assert place is not None
    data = bytearray(clip.read_bytes())
    data[place + 10 : place + size] = b"\xff" * (size - 10)
    clip.write_bytes(data)
    copy_video(clip, out)
    assert len(frame_times(out)) == 60
    assert sound_duration_s(out) == pytest.approx(2.0, abs=0.2)
