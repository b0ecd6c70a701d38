from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.media import AUDIO_RATE, packet_bytes, picture, picture_index, write_video
from tests.torture import SOUND
from tracker.drawing.picture import Picture
from tracker.errors import SinkError
from tracker.sinks.video.formats import SUFFIXES
from tracker.sinks.video.sink import VideoSink
from tracker.sources.video.source import VideoSource


def _copy(
    clip: Path, out: Path, stop_after: int | None = None, raise_after: tuple[int, BaseException] | None = None
) -> list[float]:
    times = []
    with VideoSource(clip) as source, VideoSink(out, source) as sink:
        for frame in source:
            sink.write(Picture(frame.image_bgr, frame.time_s))
            times.append(frame.time_s)
            if len(times) == stop_after:
                break
            if raise_after and len(times) == raise_after[0]:
                raise raise_after[1]
    return times


def _read(path: Path) -> tuple[list[float], list[int]]:
    with VideoSource(path) as source:
        frames = list(source)
    return [f.time_s for f in frames], [picture_index(f.image_bgr) for f in frames]


@pytest.mark.parametrize(
    "ticks", [[512 * i for i in range(30)], [7000, 7512, 7513, 20_000, 30_001], [0, 1, 2, 15_360]]
)
def test_frame_times_survive_exactly(tmp_path: Path, ticks: list[int]) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_video(clip, ticks=ticks, options={"movie_timescale": "15360"})
    times = _copy(clip, out)
    assert times == [t / 15_360 for t in ticks]
    assert _read(out) == (times, list(range(len(ticks))))


@pytest.mark.parametrize("suffix", [".mkv", ".ts", ".avi"])
def test_times_survive_from_other_containers(tmp_path: Path, suffix: str) -> None:
    clip, out = tmp_path / f"in{suffix}", tmp_path / "out.mp4"
    write_video(clip, 20, tick=Fraction(1, 30) if suffix == ".avi" else Fraction(1, 15_360))
    times = _copy(clip, out)
    np.testing.assert_allclose(_read(out)[0], times, atol=1e-9)


def test_output_lasts_as_long_as_the_input(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_video(clip, 45, audio="aac")
    _copy(clip, out)
    with av.open(str(clip)) as a, av.open(str(out)) as b:
        theirs, ours = a.streams.video[0], b.streams.video[0]
        assert ours.frames == theirs.frames == 45
        assert ours.duration * ours.time_base == theirs.duration * theirs.time_base
        assert b.duration == pytest.approx(a.duration, abs=1000)  # microseconds


@pytest.mark.parametrize(("suffix", "codec"), [(".mp4", "aac"), (".mkv", "libmp3lame"), (".mkv", "flac")])
def test_sound_is_copied_bit_for_bit(tmp_path: Path, suffix: str, codec: str) -> None:
    clip, out = tmp_path / f"in{suffix}", tmp_path / "out.mp4"
    write_video(clip, 45, audio=codec)
    _copy(clip, out)
    theirs, ours = packet_bytes(clip, "audio"), packet_bytes(out, "audio")
    assert [data for _, data in ours] == [data for _, data in theirs]
    np.testing.assert_allclose([t for t, _ in ours], [t for t, _ in theirs], atol=1.1e-3)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("in.asf", "wmav2"),
        ("in.ts", "aac"),  # its settings lie in the packets, where MP4 does not look for them
        ("in.mkv", "pcm_s16le"),
        ("in.mov", "pcm_s16le"),
    ],
)
def test_sound_that_mp4_cannot_hold_becomes_aac(tmp_path: Path, name: str, codec: str) -> None:
    clip, out = tmp_path / name, tmp_path / "out.mp4"
    write_video(clip, 60, audio=codec)
    _copy(clip, out)
    with av.open(str(out)) as container:
        sound = container.streams.audio[0]
        assert sound.codec_context.name == "aac"
        samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(sound)])
    assert len(samples) / AUDIO_RATE == pytest.approx(2.0, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples[20_000 : 20_000 + AUDIO_RATE]))
    assert abs(int(spectrum.argmax()) - 440) <= 1  # one second of samples: bins are hertz


def test_stereo_samples_of_a_high_rate_are_encoded(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mkv", tmp_path / "out.mp4"
    with av.open(str(clip), "w") as container:
        video = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s24le", rate=192_000, layout="stereo")
        for index in range(25):
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture(index), format="bgr24")))
            noise = np.zeros((1, 2 * 7680), np.int32)
            frame = av.AudioFrame.from_ndarray(noise, format="s32", layout="stereo")
            frame.sample_rate, frame.pts = 192_000, index * 7680
            container.mux(sound.encode(frame))
        for stream in (video, sound):
            container.mux(stream.encode(None))
    _copy(clip, out)
    with av.open(str(out)) as container:
        assert container.streams.audio[0].codec_context.name == "aac"
        seconds = sum(f.samples / f.sample_rate for f in container.decode(audio=0))
    assert seconds == pytest.approx(1.0, abs=0.1)


def test_the_last_frame_after_a_gap_can_be_seen(tmp_path: Path) -> None:
    """A player shows what lies within the track's length, so that must reach past the last picture."""
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    ticks = [512 * i for i in range(20)] + [512 * 19 + 4000]
    write_video(clip, ticks=ticks)
    _copy(clip, out)
    with av.open(str(out)) as container:
        times = [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]
    np.testing.assert_allclose(times, np.array(ticks) / 15_360, atol=1e-6)


def test_sound_stops_with_the_last_frame_written(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_video(clip, 90, audio="aac")
    _copy(clip, out, stop_after=30)
    assert packet_bytes(out, "audio")[-1][0] < 1.0
    assert packet_bytes(out, "audio")[-1][0] > 0.9


def test_a_film_that_was_read_ahead_ends_with_what_was_written(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_video(clip, 60, audio="aac")
    with VideoSource(clip) as source, VideoSink(out, like=source) as sink:
        for frame in list(source)[:30]:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    with av.open(str(out)) as container:
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(1.0, abs=0.1)


def test_colours_survive_and_are_labelled(tmp_path: Path) -> None:
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
    # Columns as sharp as they went in; half a pixel of resampling would leave grey.
    assert np.abs(frame[:height, :width].astype(int) - image).max() < 40


def test_a_camera_recording_starts_at_zero(tmp_path: Path) -> None:
    out, times = tmp_path / "o.mp4", [57.0, 57.033, 57.4, 57.4, 58.25]
    with VideoSink(out) as sink:
        for i, time_s in enumerate(times):
            sink.write(Picture(picture(i), time_s))
    got, indices = _read(out)
    np.testing.assert_allclose(got, np.array(times) - 57.0, atol=2.1 / 90_000)
    assert indices == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_loop_leaves_a_playable_file(tmp_path: Path, error: type[BaseException]) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / "out.mp4"
    write_video(clip, 60, audio="aac")
    with pytest.raises(error):
        _copy(clip, out, raise_after=(25, error()))
    assert _read(out)[1] == list(range(25))
    assert packet_bytes(out, "audio")


def test_a_video_without_frames_leaves_no_file(tmp_path: Path) -> None:
    sink = VideoSink(tmp_path / "o.mp4")
    sink.close()
    sink.close()
    assert not (tmp_path / "o.mp4").exists()


def test_a_video_without_frames_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "o.mp4").write_text("results of yesterday")
    VideoSink(tmp_path / "o.mp4").close()
    assert (tmp_path / "o.mp4").read_text() == "results of yesterday"


def test_refuses_its_input_and_unknown_formats(tmp_path: Path) -> None:
    clip = tmp_path / "in.mp4"
    write_video(clip, 5)
    before = clip.read_bytes()
    with VideoSource(clip) as source, pytest.raises(SinkError, match="it is the input"):
        VideoSink(clip, source)
    assert clip.read_bytes() == before
    with pytest.raises(SinkError, match=r"\.avi, \.gif"):
        VideoSink(tmp_path / "o.ogv")


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


_TORTURE = {recipe.name: recipe for recipe in SOUND}
_EXACT = (".mp4", ".m4v", ".mov")


@pytest.mark.parametrize("suffix", sorted(SUFFIXES))
@pytest.mark.parametrize("name", ["two_sounds.mkv", "variable.mp4", "turned_90.mp4"])
def test_every_format_keeps_frames_times_and_sound(tmp_path: Path, name: str, suffix: str) -> None:
    recipe = replace(_TORTURE[name], size=(96, 64))
    clip, out = recipe.write(tmp_path), tmp_path / f"out{suffix}"
    if suffix == ".avi" and name == "variable.mp4":
        with pytest.raises(SinkError, match="one frame rate"):
            _copy(clip, out)
        return
    times = _copy(clip, out)
    got, indices = _read(out)
    tick = 0.0 if suffix in _EXACT else 0.02 if suffix == ".gif" else 0.001
    np.testing.assert_allclose(got, times, atol=0.51 * tick + 1e-9)
    if not recipe.rotation:
        assert indices == list(range(len(times)))
    with av.open(str(clip)) as a, av.open(str(out)) as b:
        assert b.streams.video[0].codec_context.name == {".webm": "vp9", ".gif": "gif"}.get(suffix, "h264")
        assert len(b.streams.audio) == (0 if suffix == ".gif" else len(a.streams.audio))
        if recipe.rotation:
            assert (b.streams.video[0].width, b.streams.video[0].height) == recipe.size[::-1]
        for sound in b.streams.audio:
            b.seek(0)
            assert _pitch(b, sound.index) == pytest.approx(440 * sound.index, abs=25)
        assert b.duration == pytest.approx(a.duration, abs=120_000)  # microseconds


@pytest.mark.parametrize("suffix", sorted(SUFFIXES - {".gif"}))
@pytest.mark.parametrize("kind", [".mp4", ".mkv"])
def test_sound_that_begins_before_0_does_not_move_the_pictures(
    tmp_path: Path, kind: str, suffix: str
) -> None:
    clip, out = tmp_path / "in.mp4", tmp_path / f"out{suffix}"
    write_video(clip, 30, audio="aac")
    if kind != ".mp4":
        _copy(clip, tmp_path / f"in{kind}")
        clip = tmp_path / f"in{kind}"
    with av.open(str(clip)) as container:
        assert next(p for p in container.demux(audio=0)).pts < 0  # what AAC's encoder needs to start
    times = _copy(clip, out)
    np.testing.assert_allclose(_read(out)[0], times, atol=0.51e-3)


def _pitch(container: av.container.InputContainer, index: int) -> float:
    """The strongest frequency of an audio track, in hertz."""
    stream = container.streams[index]
    samples = np.concatenate([f.to_ndarray()[0] for f in container.decode(stream)])[2000:]
    return float(np.abs(np.fft.rfft(samples)).argmax() * stream.rate / len(samples))


def test_damaged_sound_does_not_stop_the_film(tmp_path: Path) -> None:
    clip, out = tmp_path / "in.mkv", tmp_path / "out.webm"
    write_video(clip, 60, audio="aac")  # WebM cannot hold it: it must be decoded
    with av.open(str(clip)) as container:
        place, size = next((p.pos, p.size) for p in container.demux(audio=0) if p.pts and p.pts > 700)
    data = bytearray(clip.read_bytes())
    data[place + 10 : place + size] = b"\xff" * (size - 10)
    clip.write_bytes(data)
    _copy(clip, out)
    with av.open(str(out)) as container:
        seconds = sum(f.samples / f.sample_rate for f in container.decode(audio=0))
    assert seconds == pytest.approx(2.0, abs=0.2)


@pytest.fixture
def small_disk() -> str:
    """Code that lets no file grow beyond 20 kB; a process of its own, since the limit stays."""
    pytest.importorskip("resource")
    return (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
    )


@pytest.mark.parametrize("n_frames", [8, 200])
def test_a_full_disk_never_passes_for_success(tmp_path: Path, small_disk: str, n_frames: int) -> None:
    """Whether it shows while writing or only when the buffers are emptied at the end."""
    code = small_disk + (
        "import sys, numpy as np\n"
        "from pathlib import Path\n"
        "from tracker.drawing.picture import Picture\n"
        "from tracker.sinks.video.sink import VideoSink\n"
        "from tracker.errors import SinkError\n"
        "noise = np.random.default_rng(0)\n"
        "try:\n"
        "    with VideoSink(Path(sys.argv[1])) as sink:\n"
        "        for i in range(int(sys.argv[2])):\n"
        "            image = noise.integers(0, 256, (96, 128, 3), dtype=np.uint8)\n"
        "            sink.write(Picture(image, i / 30))\n"
        "except SinkError as error:\n"
        "    print(error)\n"
        "else:\n"
        "    print('claimed success')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "o.mp4"), str(n_frames)],
        cwd=Path(__file__).resolve().parents[4], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"cannot write {tmp_path / 'o.mp4'}: File too large"), done.stdout
    assert done.stderr == ""
    if n_frames > 50:  # what was written is a film
        with av.open(str(tmp_path / "o.mp4")) as film:
            assert sum(1 for _ in _decodable(film)) > 1


def _decodable(film: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    """Frames up to the place where the disk was full."""
    with suppress(av.InvalidDataError):
        yield from film.decode(video=0)


def test_no_threads_of_ours_stay(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    write_video(tmp_path / "in.mp4", 5)
    _copy(tmp_path / "in.mp4", tmp_path / "out.mp4")
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


def test_a_killed_run_leaves_a_film_up_to_the_last_seconds(tmp_path: Path) -> None:
    path = tmp_path / "k.mp4"
    command = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ten seconds\n"
        writer.kill()
    with av.open(str(path)) as film:
        times = [float(frame.pts * frame.time_base) for frame in film.decode(video=0)]  # type: ignore[operator]
    # The encoder looks some frames ahead, and the last fragment is not whole.
    assert times[: 8 * 30] == pytest.approx([index / 30 for index in range(8 * 30)], abs=1e-4)
