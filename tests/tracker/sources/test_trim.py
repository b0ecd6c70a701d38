from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from tests.media import picture_index, write_video
from tracker.drawing.picture import Picture
from tracker.errors import SourceError
from tracker.sinks.video.sink import VideoSink
from tracker.sources.damage import DamageLog, merge
from tracker.sources.film import Pending, Selection
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.source import VideoSource
from tracker.types import Damage, Frame, ImageArray


def _image() -> ImageArray:
    return np.zeros((2, 2, 3), np.uint8)


def _pending(count: int, damages: dict[int, Damage] | None = None) -> list[Pending]:
    return [Pending(_image, i, i / 10, "a", (damages or {}).get(i)) for i in range(count)]


@pytest.mark.parametrize(
    ("start", "end", "every"), [(-1, 2, 1), (2, 2, 1), (0, 1, 0), (math.inf, math.inf, 1)]
)
def test_impossible_parts_are_refused(start: float, end: float, every: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Trim(start, end, every)


@pytest.mark.parametrize(
    ("trim", "expected", "to_the_end"),
    [
        (WHOLE, list(range(10)), True),
        (Trim(0.3), list(range(3, 10)), True),
        (Trim(0.3, 0.5), [3, 4], False),
        (Trim(every=4), [0, 4, 8], True),
        (Trim(0.1, 0.8, 3), [1, 4, 7], False),
        (Trim(5.0), [], True),
    ],
)
def test_which_frames_are_taken(trim: Trim, expected: list[int], to_the_end: bool) -> None:
    selection = Selection(trim)
    assert [f.index for f in selection.of(_pending(10))] == expected
    assert selection.reached_end == to_the_end
    if trim != Trim(5.0):
        assert trim.count(10, Fraction(10)) == len(expected)
    assert trim.count(None, Fraction(10)) is None


def test_damage_of_frames_left_out_is_told_by_those_kept() -> None:
    damages = {1: Damage(2, byte=5), 3: Damage(guessed=True, byte=9), 9: Damage(1, lost_after=4)}
    frames = list(Selection(Trim(every=4)).of(_pending(10, damages)))
    assert [f.damage for f in frames] == [None, Damage(2, guessed=True, byte=5), Damage(lost_after=5)]
    unknown = list(Selection(Trim(every=4)).of(_pending(10, {9: Damage(1, None)})))
    assert unknown[-1].damage == Damage(lost_after=None)
    assert merge(None, None) is None


def test_the_summary_says_what_is_lost() -> None:
    def said(*damages: Damage) -> str:
        log = DamageLog()
        for index, damage in enumerate(damages):
            log.add(Frame(_image(), index, float(index), damage=damage))
        return log.summary(Path("a.mp4"), 10)

    assert said(Damage(lost_after=5)) == "a.mp4 ends after 10 of 15 frames: damaged or truncated"
    assert said(Damage(lost_after=None)) == "a.mp4 ends after 10 frames: damaged or truncated"
    assert "none of its 10 frames seems to be lost" in said(Damage(byte=7))
    assert said(Damage(2, guessed=True, byte=7), Damage(lost_after=1)) == (
        "a.mp4 is damaged: 3 frames lost, 1 guessed at in part, first at frame 0 (0.000 s, byte 7); "
        "10 frames are done"
    )
    assert "at least 2 frames lost" in said(Damage(2), Damage(lost_after=None))
    assert "frames lost at its end, 1 with impossible times" in said(
        Damage(time_mended=True, lost_after=None)
    )


def test_a_part_of_a_video_has_its_own_times_and_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 60)
    with VideoSource(path, Trim(0.5, 1.5, 5)) as source:
        frames = list(source)
        assert (source.frame_count, source.exhausted) == (len(frames), False)
    assert [f.index for f in frames] == [15, 20, 25, 30, 35, 40]
    assert [picture_index(f.image_bgr) for f in frames] == [15, 20, 25, 30, 35, 40]
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(15, 45, 5) / 30)


def test_a_part_that_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 10)
    with VideoSource(path, Trim(60.0)) as source, pytest.raises(SourceError, match="--start"):
        list(source)


def test_the_output_of_a_part_begins_at_0_with_its_sound(tmp_path: Path) -> None:
    path, out = tmp_path / "a.mp4", tmp_path / "o.mp4"
    write_video(path, 90, audio="aac")
    with VideoSource(path, Trim(1.0, 2.0)) as source, VideoSink(out, source) as sink:
        for frame in source:
            sink.write(Picture(frame.image_bgr, frame.time_s))
    with VideoSource(out) as source:
        frames = list(source)
    assert [picture_index(f.image_bgr) for f in frames] == list(range(30, 60))
    np.testing.assert_allclose([f.time_s for f in frames], np.arange(30) / 30, atol=1e-9)
    with av.open(str(out)) as film:
        times = [float(p.pts * p.time_base) for p in film.demux(audio=0) if p.size]
    assert 0 <= times[0] < 0.03
    assert 0.93 < times[-1] < 1.0
