from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.media import picture_index, write_video
from tests.torture import INJURIES, MILLISECOND, UNDAMAGED, Injury, Recipe, counted
from tracker.errors import SourceError
from tracker.sources import limits
from tracker.sources.video import container
from tracker.sources.video.source import VideoSource
from tracker.types import Frame


@pytest.mark.parametrize("recipe", UNDAMAGED, ids=lambda recipe: recipe.name)
def test_an_undamaged_file_yields_every_frame_once_at_its_time(tmp_path: Path, recipe: Recipe) -> None:
    path = recipe.write(tmp_path)
    with VideoSource(path) as source:
        frames = list(source)
        assert source.exhausted
        size = source.size
    count, times = counted(path)
    assert len(frames) == count == len(recipe.ticks)
    assert [f.index for f in frames] == list(range(count))
    got = [f.time_s for f in frames]
    if times is not None:
        assert got == times
    else:  # a raw stream has a rate only
        np.testing.assert_allclose(np.diff(got), 1 / 30)
    upright = [np.rot90(f.image_bgr, -recipe.rotation // 90) for f in frames]
    assert [picture_index(image) for image in upright] == list(range(count))
    assert {f.image_hw[::-1] for f in frames} == {size}
    assert sorted(size) == sorted(recipe.size)
    assert all(f.damage is None for f in frames)


def _read(path: Path) -> tuple[list[Frame], str]:
    """Return the frames, and the message of the error that ended them."""
    frames: list[Frame] = []
    try:
        with VideoSource(path) as source:
            frames.extend(source)
    except SourceError as error:
        return frames, str(error)
    return frames, ""


def _timed_pixels(frames: list[Frame]) -> list[tuple[float, bytes]]:
    return [(frame.time_s, frame.image_bgr.tobytes()) for frame in frames]


@pytest.mark.parametrize("injury", INJURIES, ids=lambda w: f"{w.recipe}-{'cut' if w.end is None else w.fill}")
def test_a_damaged_file_yields_what_can_be_decoded_and_counts_the_rest(
    tmp_path: Path, injury: Injury, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = next(r for r in UNDAMAGED if r.name == injury.recipe)
    if recipe.tick != MILLISECOND:
        recipe = replace(recipe, ticks=range(0, 600, 10) if recipe.name == "animation.gif" else range(60))
    path = recipe.write(tmp_path)
    capfd.readouterr()  # some encoders write to stderr
    whole, _ = _read(path)
    ends = [end for _, end in _packet_ends(path)]
    first_wrong = injury.apply(path)
    frames, message = _read(path)
    assert str(path) in message
    assert "\n" not in message
    assert capfd.readouterr().err == ""
    # Frames before the damage that do not depend on later bytes are there, once each, at their times.
    safe = max(sum(end <= first_wrong for end in ends) - 4, 0)
    assert _timed_pixels(frames)[:safe] == _timed_pixels(whole)[:safe]
    assert safe > 0
    # Where the file states how many frames there should be, frames yielded and missing add up.
    assert len(frames) < len(whole) or any(f.damage for f in frames)
    damages = [f.damage for f in frames if f.damage]
    if all(d.lost_after is not None for d in damages) and recipe.name != "raw.h264":
        total = len(frames) + sum(d.lost_before + (d.lost_after or 0) for d in damages)
        assert total == pytest.approx(len(whole), abs=4)
    # A frame not marked as guessed is that of the undamaged file.
    known = Counter(pixels for _, pixels in _timed_pixels(whole))
    undamaged = [f for f in frames if not (f.damage and f.damage.guessed)]
    if recipe.name not in ("raw.h264", "animation.gif", "mpeg4.avi"):
        assert all(known[f.image_bgr.tobytes()] for f in undamaged)
    steps = np.diff([f.time_s for f in frames])
    assert (steps >= 0).all()


# MPEG-1 to 4, WMV and GIF have so little redundancy that no decoder notices all damage.
CHECKED = [
    "plain.mp4", "b_frames.mp4", "b_frames.avi", "open_gop.ts", "interlaced.ts", "turned_270.mkv",
    "two_sounds.mkv", "ten_bit.mp4", "vp8.webm", "vp9.webm", "lossless.mkv",
]  # fmt: skip


@pytest.mark.parametrize("fill", [0, 0xFF])
@pytest.mark.parametrize("name", CHECKED)
def test_a_damaged_picture_is_marked_wherever_the_damage_begins(tmp_path: Path, name: str, fill: int) -> None:
    """A decoder often notices damage at the end of a picture only in the next one."""
    recipe = replace(next(r for r in UNDAMAGED if r.name == name), ticks=range(60))
    path = recipe.write(tmp_path)
    known = {pixels for _, pixels in _timed_pixels(_read(path)[0])}
    data = path.read_bytes()
    for hundredth in range(10, 90, 3):
        path.write_bytes(data)
        Injury(name, hundredth / 100, hundredth / 100 + 0.1, fill).apply(path)
        for frame in _read(path)[0]:
            assert (frame.damage and frame.damage.guessed) or frame.image_bgr.tobytes() in known, hundredth


def _packet_ends(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    return [(p.pos or 0, (p.pos or 0) + p.size) for p in packets]


def test_frames_counted_by_the_header_only_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "wrong_count.avi"
    write_video(path, 30, tick=Fraction(1, 30))
    data = path.read_bytes()
    for field in (b"avih", b"strh"):
        at = data.index(field) + 8 + (16 if field == b"avih" else 32)
        assert int.from_bytes(data[at : at + 4], "little") == 30
        data = data[:at] + (90).to_bytes(4, "little") + data[at + 4 :]
    path.write_bytes(data)
    frames, message = _read(path)
    assert len(frames) == 30
    assert "ends after 30 of 90 frames" in message


def test_the_frame_size_may_change(tmp_path: Path) -> None:
    path, other = tmp_path / "a.ts", tmp_path / "b.ts"
    write_video(path, 12)
    write_video(other, 12, size=(96, 64), ticks=[15_360 + 512 * i for i in range(12)])
    path.write_bytes(path.read_bytes() + other.read_bytes())
    frames, _ = _read(path)
    assert [f.image_hw for f in frames] == [(48, 64)] * 12 + [(64, 96)] * 12
    assert [picture_index(f.image_bgr) for f in frames] == [*range(12), *range(12)]


def test_transparent_pixels_lie_over_white(tmp_path: Path) -> None:
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("png", rate=10)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "rgba"
        rgba = np.zeros((16, 16, 4), np.uint8)
        rgba[8:, :, 3] = 255
        out.mux(stream.encode(av.VideoFrame.from_ndarray(rgba, format="rgba")))
        out.mux(stream.encode(None))
    ((frame,), message) = _read(path)
    assert message == ""
    assert frame.image_bgr[4, 4].tolist() == [255, 255, 255]
    assert frame.image_bgr[12, 4].tolist() == [0, 0, 0]


def test_frames_that_become_too_large_are_not_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, bomb = tmp_path / "a.ts", tmp_path / "b.ts"
    write_video(path, 12)
    write_video(bomb, 3, size=(640, 480), ticks=[15_360 + 512 * i for i in range(3)])
    path.write_bytes(path.read_bytes() + bomb.read_bytes())
    monkeypatch.setattr(container, "MAX_PIXELS", 100_000)
    frames, message = _read(path)
    assert {f.image_hw for f in frames} == {(48, 64)}
    assert len(frames) >= 10
    assert "damaged" in message


def test_an_endless_film_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 30)
    monkeypatch.setattr(limits, "MAX_FRAMES", 20)
    frames, message = _read(path)
    assert 17 <= len(frames) <= 20
    assert "goes on after 20 frames" in message
