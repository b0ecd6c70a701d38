from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame

from tests.cache import Clips
from tests.cli import start_process
from tests.disk import file_size_limit
from tests.media import frame_count, packet_bytes, picture, picture_index, write_video
from tests.video_copy import copy_video, duration_s, frame_times, read_video, track_duration_s
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.video.sink import VideoSink
from tracker.sources.video.source import VideoSource


@pytest.mark.parametrize(
    "ticks", [[512 * i for i in range(30)], [7000, 7512, 7513, 20_000, 30_001], [0, 1, 2, 15_360]]
)
def test_timestamps_are_kept_exactly(tmp_path: Path, ticks: list[int]) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_video(clip, ticks=ticks, options={"movie_timescale": "15360"})
    times = copy_video(clip, out)
    assert times == [t / 15_360 for t in ticks]
    assert read_video(out) == (times, list(range(len(ticks))))


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
def test_timestamps_of_other_containers_are_kept(tmp_path: Path, clips: Clips, suffix: str) -> None:
    tick = Fraction(1, 30) if suffix == ".avi" else Fraction(1, 15_360)
    times = copy_video(clips.pictures(20, suffix, tick=tick), tmp_path / "out.mp4")
    np.testing.assert_allclose(read_video(tmp_path / "out.mp4")[0], times, atol=1e-9)


def test_the_output_lasts_as_long_as_the_input(tmp_path: Path, clips: Clips) -> None:
    clip, out = clips.pictures(45, audio="aac"), tmp_path / "out.mp4"
    copy_video(clip, out)
    assert frame_count(out) == frame_count(clip) == 45
    assert track_duration_s(out) == track_duration_s(clip)
    assert duration_s(out) == pytest.approx(duration_s(clip), abs=1e-3)


def test_the_last_frame_after_a_gap_is_within_the_duration_of_the_track(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    ticks = [512 * i for i in range(20)] + [512 * 19 + 4000]
    write_video(clip, ticks=ticks)
    copy_video(clip, out)
    np.testing.assert_allclose(frame_times(out), np.array(ticks) / 15_360, atol=1e-6)


def test_frames_that_were_only_read_ahead_do_not_count(tmp_path: Path, clips: Clips) -> None:
    out = tmp_path / "out.mp4"
    with VideoSource(clips.pictures(60, audio="aac")) as source, VideoSink(out, like=source) as sink:
        for frame in list(source)[:30]:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    assert duration_s(out) == pytest.approx(1.0, abs=0.1)


def test_colours_are_kept_and_labelled_bt709(tmp_path: Path) -> None:
    color, out = np.array((40, 60, 200)), tmp_path / "o.mp4"
    with VideoSink(out) as sink:
        for i in range(3):
            sink.write(Picture(np.full((720, 1280, 3), color, np.uint8), i / 30))
    with av.open(str(out)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_primaries, codec.color_trc, codec.color_range) == (1, 1, 1, 1)
    with VideoSource(out) as source:
        for frame in source:
            assert np.abs(frame.image_bgr.mean(axis=(0, 1)) - color).max() < 4


@pytest.mark.parametrize("size", [(63, 47), (64, 47), (1, 1)])
def test_odd_sizes_are_padded_not_resampled(tmp_path: Path, size: tuple[int, int]) -> None:
    out, (width, height) = tmp_path / "o.mp4", size
    columns = np.tile(np.array([0, 255], np.uint8), 32)[:width]
    image = np.repeat(np.tile(columns, (height, 1))[..., None], 3, axis=2)
    with VideoSink(out) as sink:
        sink.write(Picture(image))
    with VideoSource(out) as source:
        frame = next(iter(source)).image_bgr
    assert frame.shape[:2] == (height + height % 2, width + width % 2)
    # Columns are as sharp as they were; half a pixel of resampling would leave grey.
    assert np.abs(frame[:height, :width].astype(int) - image).max() < 40


def test_pictures_of_another_size_are_scaled_into_the_first(tmp_path: Path) -> None:
    with VideoSink(tmp_path / "o.mp4") as sink:
        for index, size in enumerate([(64, 48), (128, 96), (48, 64), (64, 48)]):
            sink.write(Picture(picture(9 + index, *size), index / 25))
    with VideoSource(tmp_path / "o.mp4") as video:
        frames = list(video)
    assert [frame.image_hw for frame in frames] == [(48, 64)] * 4
    assert [picture_index(frames[i].image_bgr) for i in (0, 1, 3)] == [9, 10, 12]
    upright = frames[2].image_bgr
    assert upright[:, :10].max() < 40  # black bars left and right
    assert picture_index(upright[:, 14:50]) == 11


def test_a_camera_recording_starts_at_zero(tmp_path: Path) -> None:
    out, times = tmp_path / "o.mp4", [57.0, 57.033, 57.4, 57.4, 58.25]
    with VideoSink(out) as sink:
        for i, time_s in enumerate(times):
            sink.write(Picture(picture(i), time_s))
    got, indices = read_video(out)
    np.testing.assert_allclose(got, np.array(times) - 57.0, atol=2.1 / 90_000)
    assert indices == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [RuntimeError(), KeyboardInterrupt()])
def test_an_interrupted_loop_leaves_a_playable_file(
    tmp_path: Path, clips: Clips, error: BaseException
) -> None:
    out = tmp_path / "out.mp4"
    with pytest.raises(type(error)):
        copy_video(clips.pictures(60, audio="aac"), out, stop_after=25, error=error)
    assert read_video(out)[1] == list(range(25))
    assert packet_bytes(out, "audio")


def test_without_pictures_no_file_is_left(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "o.mp4")
    sink.close()
    sink.close()
    assert not (tmp_path / "o.mp4").exists()


def test_without_pictures_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "o.mp4").write_text("results of yesterday")
    VideoSink(tmp_path / "o.mp4").close()
    assert (tmp_path / "o.mp4").read_text() == "results of yesterday"


def test_the_input_is_not_overwritten(tmp_path: Path) -> None:
    clip = tmp_path / "in.mp4"
    write_video(clip, 5)
    before = clip.read_bytes()
    with VideoSource(clip) as source, pytest.raises(SinkError, match="it is the input"):
        VideoSink(clip, source)
    assert clip.read_bytes() == before


@pytest.mark.parametrize("name", ["missing/o.mp4", "file/o.mp4", "folder.mp4"])
def test_paths_that_cannot_be_written_are_refused_when_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.mp4").mkdir()
    with pytest.raises(SinkError, match="cannot write") as caught:
        VideoSink(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


# With 8 frames the disk is full only when the buffers are flushed at the end.
@pytest.mark.parametrize("n_frames", [8, 200])
def test_a_full_disk_is_an_error(tmp_path: Path, n_frames: int) -> None:
    noise = np.random.default_rng(0)
    out = tmp_path / "o.mp4"
    with (
        file_size_limit(20_000),
        pytest.raises(SinkError, match=f"^cannot write {out}: File too large"),
        VideoSink(out) as sink,
    ):
        for i in range(n_frames):
            sink.write(Picture(noise.integers(0, 256, (96, 128, 3), dtype=np.uint8), i / 30))
    if n_frames > 50:  # the part that was written is playable
        with av.open(str(out)) as video:
            assert sum(1 for _ in _decodable(video)) > 1


def _decodable(video: InputContainer) -> Iterator[VideoFrame]:
    """Yield the frames up to the place where the disk was full."""
    with suppress(av.InvalidDataError):
        yield from video.decode(video=0)


def test_no_threads_are_left(tmp_path: Path, clips: Clips) -> None:
    before = set(threading.enumerate())
    copy_video(clips.pictures(5), tmp_path / "out.mp4")
    assert set(threading.enumerate()) == before


_WRITER = """
import sys
from pathlib import Path
import numpy as np
from tracker.drawing.picture import Picture
from tracker.sinks.video.sink import VideoSink
sink = VideoSink(Path(sys.argv[1]))
for index in range(1_000_000):
    image = np.full((120, 160, 3), 60, np.uint8)
    image[:, index % 140 : index % 140 + 20] = 200
    sink.write(Picture(image, index / 30))
    if index == 299:
        print("ten seconds", flush=True)
"""


def test_a_killed_run_leaves_a_playable_file(tmp_path: Path) -> None:
    path = tmp_path / "k.mp4"
    with start_process([sys.executable, "-c", _WRITER, path]) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ten seconds\n"
        writer.kill()
        writer.wait()
    # The encoder looks some frames ahead, and the last fragment is incomplete.
    assert frame_times(path)[: 8 * 30] == pytest.approx([index / 30 for index in range(8 * 30)], abs=1e-4)
