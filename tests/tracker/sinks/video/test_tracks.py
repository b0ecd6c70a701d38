"""Tracks of written films: which pictures are taken, what sound is called, and sound of joined recordings."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from tests.media import AUDIO_RATE, add_tone_stream, picture, picture_index, tone, write_video
from tests.video_copy import copy_video, duration_s, read_video, sound_duration_s
from tracker.sources.camera.stream import StreamCapture

_SOUNDS = (("deu", "Deutsch"), ("fra", "Commentaire"), ("jpn", "日本語"))


def _write(path: Path, default: int = 0, n_videos: int = 1) -> Path:
    """Write a second with three sound tracks, and videos of which the ``default``-th is marked as such.

    The n-th video shows ``picture(20 * n + i)``.
    """
    with av.open(str(path), "w") as out:
        videos = []
        for number in range(n_videos):
            video = out.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
            assert isinstance(video, VideoStream)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            video.disposition = Disposition.default if number == default else Disposition(0)
            videos.append(video)
        sounds = [add_tone_stream(out, "aac") for _ in _SOUNDS]
        for sound, (language, title) in zip(sounds, _SOUNDS, strict=True):
            sound.metadata.update({"language": language, "title": title})
        for index in range(20):
            for number, video in enumerate(videos):
                frame = VideoFrame.from_ndarray(picture(20 * number + index), format="bgr24")
                frame.pts, frame.time_base = index, Fraction(1, 30)
                out.mux(video.encode(frame))
        for start in range(0, AUDIO_RATE, 1024):
            for sound in sounds:
                out.mux(sound.encode(tone(start)))
        for video in videos:
            out.mux(video.encode(None))
        for sound in sounds:
            out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("default", [0, 1, 2])
def test_the_video_marked_as_default_is_taken(tmp_path: Path, suffix: str, default: int) -> None:
    path = _write(tmp_path / f"in{suffix}", default, n_videos=3)
    expected = [20 * default + index for index in range(20)]
    assert read_video(path)[1] == expected
    capture = StreamCapture(str(path))
    assert capture.grab()
    _, image = capture.retrieve()
    capture.release()
    assert image is not None
    assert picture_index(image) == expected[0]


@pytest.mark.parametrize("source", [".mkv", ".mp4", ".mov"])
@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".webm", ".avi"])
def test_languages_and_titles_of_sound_are_kept(tmp_path: Path, source: str, suffix: str) -> None:
    clip, out = _write(tmp_path / f"in{source}"), tmp_path / f"out{suffix}"
    if source == ".mov":  # as another program would write it: libav does not know "deu" there
        copy_video(_write(tmp_path / "in.mp4"), clip)
    copy_video(clip, out)
    with av.open(str(out)) as container:
        found = [stream.metadata for stream in container.streams.audio]
    assert [tags.get("title") or tags.get("name") for tags in found] == [title for _, title in _SOUNDS]
    if suffix != ".avi":  # which has no place for languages
        german = {"deu", "ger"} if ".mov" in (source, suffix) else {"deu"}
        assert found[0]["language"] in german
        assert [tags["language"] for tags in found[1:]] == ["fra", "jpn"]


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_sound_of_joined_recordings_goes_with_their_pictures(tmp_path: Path, suffix: str) -> None:
    clip, joined = tmp_path / "a.ts", tmp_path / "joined.ts"
    write_video(clip, 60, audio="aac")
    joined.write_bytes(2 * clip.read_bytes())
    times = copy_video(joined, tmp_path / f"out{suffix}")
    assert len(times) == 120
    np.testing.assert_allclose(np.diff(times), 1 / 30, atol=1e-3)
    assert sound_duration_s(tmp_path / f"out{suffix}") == pytest.approx(4.0, abs=0.15)
    assert duration_s(tmp_path / f"out{suffix}") == pytest.approx(4.0 + times[0], abs=0.2)
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        packets = [p for p in container.demux(audio=0) if p.size and p.pts is not None]
    starts = np.array([float((p.pts or 0) * p.time_base) for p in packets])
    assert np.diff(starts).max() < 0.1  # no pause where the second recording begins
