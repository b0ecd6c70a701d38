from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.media import picture_index, write_video
from tests.torture import MILLISECOND, SOUND, WOUNDS, Recipe, Wound, counted
from tracker.errors import SourceError
from tracker.sources import limits
from tracker.sources.video import container
from tracker.sources.video.source import VideoSource
from tracker.types import Frame


@pytest.mark.parametrize("recipe", SOUND, ids=lambda recipe: recipe.name)
def test_every_frame_once_with_its_own_time(tmp_path: Path, recipe: Recipe) -> None:
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
    else:  # a raw stream: at the rate that it states
        np.testing.assert_allclose(np.diff(got), 1 / 30)
    upright = [np.rot90(f.image_bgr, -recipe.rotation // 90) for f in frames]
    assert [picture_index(image) for image in upright] == list(range(count))
    assert {f.image_hw[::-1] for f in frames} == {size}
    assert sorted(size) == sorted(recipe.size)
    assert all(f.damage is None for f in frames)


def _read(path: Path) -> tuple[list[Frame], str]:
    frames: list[Frame] = []
    try:
        with VideoSource(path) as source:
            frames.extend(source)
    except SourceError as error:
        return frames, str(error)
    return frames, ""


def _looks(frames: list[Frame]) -> list[tuple[float, bytes]]:
    return [(frame.time_s, frame.image_bgr.tobytes()) for frame in frames]


@pytest.mark.parametrize("wound", WOUNDS, ids=lambda w: f"{w.recipe}-{'cut' if w.end is None else w.fill}")
def test_a_damaged_file_gives_all_it_has_and_says_what_it_lost(
    tmp_path: Path, wound: Wound, capfd: pytest.CaptureFixture[str]
) -> None:
    recipe = next(r for r in SOUND if r.name == wound.recipe)
    if recipe.tick != MILLISECOND:
        recipe = replace(recipe, ticks=range(0, 600, 10) if recipe.name == "animation.gif" else range(60))
    path = recipe.write(tmp_path)
    capfd.readouterr()  # some encoders talk
    whole, _ = _read(path)
    ends = [end for _, end in _packet_ends(path)]
    first_wrong = wound.inflict(path)
    frames, message = _read(path)
    assert str(path) in message
    assert "\n" not in message
    assert capfd.readouterr().err == ""
    # What lies before the damage and builds on nothing behind it is there, each picture once, at its time.
    safe = max(sum(end <= first_wrong for end in ends) - 4, 0)
    assert _looks(frames)[:safe] == _looks(whole)[:safe]
    assert safe > 0
    # Frames are lost or there, and where the file says how many there should be, they add up.
    assert len(frames) < len(whole) or any(f.damage for f in frames)
    told = [f.damage for f in frames if f.damage]
    if all(d.lost_after is not None for d in told) and recipe.name != "raw.h264":
        total = len(frames) + sum(d.lost_before + (d.lost_after or 0) for d in told)
        assert total == pytest.approx(len(whole), abs=4)
    # A frame that is not told of as guessed at looks as in the whole file.
    known = Counter(look for _, look in _looks(whole))
    sound = [f for f in frames if not (f.damage and f.damage.guessed)]
    if recipe.name not in ("raw.h264", "animation.gif", "mpeg4.avi"):
        assert all(known[f.image_bgr.tobytes()] for f in sound)
    steps = np.diff([f.time_s for f in frames])
    assert (steps >= 0).all()


def _packet_ends(path: Path) -> list[tuple[int, int]]:
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(video=0) if p.size]
    return [(p.pos or 0, (p.pos or 0) + p.size) for p in packets]


def test_a_lying_header_is_found_out(tmp_path: Path) -> None:
    """An AVI that claims more frames than it has, and an MP4 whose index points behind its end."""
    path = tmp_path / "lies.avi"
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


def test_a_size_that_changes_on_the_way(tmp_path: Path) -> None:
    path, other = tmp_path / "a.ts", tmp_path / "b.ts"
    write_video(path, 12)
    write_video(other, 12, size=(96, 64), ticks=[15_360 + 512 * i for i in range(12)])
    path.write_bytes(path.read_bytes() + other.read_bytes())
    frames, _ = _read(path)
    assert [f.image_hw for f in frames] == [(48, 64)] * 12 + [(64, 96)] * 12
    assert [picture_index(f.image_bgr) for f in frames] == [*range(12), *range(12)]


def test_what_is_transparent_lies_over_white(tmp_path: Path) -> None:
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


def test_pictures_that_are_too_large_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 5, size=(640, 480))
    monkeypatch.setattr(limits, "MAX_PIXELS", 640 * 480 - 1)
    with pytest.raises(SourceError, match="claims pictures of 640x480"):
        VideoSource(path)


def test_pictures_that_become_too_large_are_not_decoded(
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


def test_a_film_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 30)
    monkeypatch.setattr(limits, "MAX_FRAMES", 20)
    frames, message = _read(path)
    assert 17 <= len(frames) <= 20
    assert "goes on after 20 frames" in message


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    write_video(tmp_path / "a.ts", 5)
    playlist = tmp_path / "a.mp4"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\na.ts\n#EXT-X-ENDLIST\n")
    with pytest.raises(SourceError):
        VideoSource(playlist)
    playlist.write_text("ffconcat version 1.0\nfile a.ts\n")
    with pytest.raises(SourceError):
        VideoSource(playlist)
