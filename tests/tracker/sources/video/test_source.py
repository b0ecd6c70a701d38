from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from tests.media import (
    N_PICTURES,
    picture,
    picture_index,
    write_video,
)
from tracker.errors import SourceError
from tracker.sources.video.source import VideoSource
from tracker.types import Frame

FASTSTART = {"movflags": "faststart"}


def _frames(path: Path) -> list[Frame]:
    with VideoSource(path) as source:
        return list(source)


def _read_damaged(path: Path) -> tuple[list[Frame], str]:
    """Return the frames, and the message of the error that ends them."""
    frames: list[Frame] = []
    with VideoSource(path) as source:
        with pytest.raises(SourceError) as caught:
            frames.extend(source)
        assert source.exhausted
    return frames, str(caught.value)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".ts", ".avi", ".mov"])
def test_every_frame_comes_in_order(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"clip{suffix}"
    tick = Fraction(1, 30) if suffix == ".avi" else Fraction(1, 15_360)
    write_video(path, 35, tick=tick)
    with VideoSource(path) as source:
        assert (source.size, source.name, source.has_audio) == ((64, 48), path.name, False)
        frames = list(source)
        assert source.exhausted
    assert [picture_index(f.image_bgr) for f in frames] == list(range(35))
    assert [f.index for f in frames] == list(range(35))
    assert {f.source for f in frames} == {path.name}
    steps = np.diff([f.time_s for f in frames])
    np.testing.assert_allclose(steps, 1 / 30, atol=1e-3)  # Matroska counts in milliseconds


def test_times_are_exact_at_a_variable_rate(tmp_path: Path) -> None:
    ticks = [1000, 1512, 1513, 9000, 9001, 15_360, 40_000]
    write_video(tmp_path / "vfr.mp4", ticks=ticks, options={"movie_timescale": "15360"})
    with VideoSource(tmp_path / "vfr.mp4") as source:
        assert source.time_base == Fraction(1, 15_360)
        assert source.frame_count == len(ticks)
        assert [f.time_s for f in source] == [t / 15_360 for t in ticks]


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_a_rotated_video_is_turned_upright(tmp_path: Path, rotation: int) -> None:
    path = tmp_path / "phone.mp4"
    write_video(path, 3, rotation=rotation)
    with VideoSource(path) as source:
        size, frame = source.size, next(iter(source))
    assert size == ((64, 48) if rotation in (0, 180) else (48, 64))
    assert frame.image_bgr.shape == (size[1], size[0], 3)
    expected = np.rot90(picture(0), rotation // 90)
    assert np.abs(frame.image_bgr.astype(int) - expected).mean() < 4


def test_rotation_agrees_with_opencv(tmp_path: Path) -> None:
    path = tmp_path / "phone.mp4"
    write_video(path, 3, rotation=-90)
    _, theirs = cv2.VideoCapture(str(path)).read()
    assert np.abs(_frames(path)[0].image_bgr.astype(int) - theirs).mean() < 4


@pytest.mark.parametrize(
    ("suffix", "options"),
    [
        (".mp4", FASTSTART),
        (".mp4", {"movflags": "frag_keyframe+empty_moov"}),
        (".mkv", {}),
        (".avi", {}),
    ],
)
def test_a_truncated_file_yields_its_frames_and_then_an_error(
    tmp_path: Path, suffix: str, options: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"clip{suffix}"
    tick = Fraction(1, 30) if suffix == ".avi" else Fraction(1, 15_360)
    write_video(path, 200, tick=tick, options=options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    frames, message = _read_damaged(path)
    assert 40 < len(frames) < 160
    # No frame is missing, repeated or damaged. Only the last may lack a B-frame before it, which the file
    # stores after it: after the cut.
    indices = [picture_index(f.image_bgr) for f in frames]
    assert indices[:-2] == [i % N_PICTURES for i in range(len(frames) - 2)]
    assert len(set(indices[-3:])) == 3
    assert f"ends after {len(frames)} of " in message or f"ends after {len(frames)} frames" in message
    assert "damaged or truncated" in message
    assert capfd.readouterr().err == ""


def test_frames_buffered_in_the_decoder_are_yielded(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write_video(path, 60, options=FASTSTART)
    with av.open(str(path)) as container:
        ends = [(p.pos or 0) + p.size for p in container.demux(video=0) if p.size]
    # Packets are in decoding order: 40 of them hold at least the first 38 pictures with two B-frames.
    path.write_bytes(path.read_bytes()[: ends[39]])
    frames, _ = _read_damaged(path)
    assert 38 <= len(frames) <= 40


def test_frames_after_damage_keep_their_times(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "clip.ts"
    write_video(path, 200)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    frames, message = _read_damaged(path)
    assert 150 < len(frames) < 200
    undamaged = [f for f in frames if not (f.damage and f.damage.guessed)]
    started = frames[0].time_s
    indices = [round((f.time_s - started) * 30) for f in undamaged]
    assert [picture_index(f.image_bgr) for f in undamaged][:90] == [i % N_PICTURES for i in indices][:90]
    assert indices[-1] == 199
    lost = sum(f.damage.lost_before for f in frames if f.damage)
    assert len(frames) + lost == 200
    assert f"{lost} frames lost" in message
    assert capfd.readouterr().err == ""


def test_frames_hidden_by_an_edit_list_are_not_missing(tmp_path: Path) -> None:
    """Frames before time 0 are stored for decoding only; the header counts them all."""
    path = tmp_path / "cut.mp4"
    write_video(path, ticks=[512 * i for i in range(-25, 35)])
    with VideoSource(path) as source:
        count = sum(1 for _ in source)
        assert source.exhausted
    assert 30 <= count <= 60


def test_sound_after_the_last_frame_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "talk.mkv"
    write_video(path, ticks=[0, 512, 60_000], audio="aac")
    assert len(_frames(path)) == 3


def test_a_loop_may_end_early_and_close_twice(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.mp4", 5)
    with VideoSource(tmp_path / "clip.mp4") as source:
        for _ in source:
            break
        assert not source.exhausted
    source.close()


@pytest.mark.parametrize(
    ("name", "count", "size"),
    [
        ("dim_turning_12s", 354, (512, 512)),
        ("glasses_20s", 587, (512, 480)),
        ("stage_microphone_9s", 275, (640, 360)),
        ("street_many_faces_4s", 105, (1920, 1080)),
        ("talk_33s", 1008, (480, 480)),
    ],
)
def test_real_clips_are_undamaged(data_dir: Path, name: str, count: int, size: tuple[int, int]) -> None:
    with VideoSource(data_dir / "videos" / f"{name}.mp4") as source:
        assert (source.size, source.frame_count, source.has_audio) == (size, count, True)
        assert sum(1 for _ in source) == count
        assert source.exhausted
