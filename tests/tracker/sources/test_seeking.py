"""Excerpts of films: the same frames, with the same numbers, as when a film is read from its beginning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.media import picture, write_video
from tests.torture import INJURIES, UNDAMAGED, Recipe
from tracker.errors import MisuseError, SourceError
from tracker.sources.opening import open_film
from tracker.sources.seeking import Seeker
from tracker.sources.trim import WHOLE, Trim
from tracker.sources.video.frame_index import FrameIndex, NotIndexableError
from tracker.types import Frame


def write_film(path: Path, count: int) -> None:
    """Write a film in any container; AVI knows no finer times than those of frames."""
    write_video(path, ticks=range(count), tick=Fraction(1, 30))


def frames_of(path: Path, trim: Trim = WHOLE) -> list[Frame]:
    """Return all frames that a film yields before its error, if any."""
    found: list[Frame] = []
    with open_film(path, trim) as film:
        frames = iter(film)
        while (frame := _next(frames)) is not None:
            found.append(frame)
    return found


def _next(frames: Iterator[Frame]) -> Frame | None:
    try:
        return next(frames, None)
    except SourceError:
        return None


def assert_same(got: list[Frame], expected: list[Frame], numbered: bool) -> None:
    assert [frame.time_s for frame in got] == [frame.time_s for frame in expected]
    if numbered:
        assert [frame.index for frame in got] == [frame.index for frame in expected]
    for one, other in zip(got, expected, strict=True):
        assert one.source == other.source
        assert one.pixel_aspect == other.pixel_aspect
        assert np.array_equal(one.image_bgr, other.image_bgr)


def assert_excerpts_are_exact(path: Path, trim: Trim = WHOLE, every: int = 1, numbered: bool = True) -> None:
    """Compare the three frames from every ``every``-th on, and those from the frame before it on."""
    expected = frames_of(path, trim)
    with open_film(path, trim) as film:
        seeker = Seeker(film)
        for number in range(0, len(expected), every):
            for before in (False, True):
                first = max(number - before, 0)
                with seeker.excerpt(expected[number].time_s, before) as excerpt:
                    frames = iter(excerpt)
                    got = [frame for _ in range(3) if (frame := _next(frames)) is not None]
                assert_same(got, expected[first : first + 3], numbered)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", UNDAMAGED, ids=lambda recipe: recipe.name)
def test_any_frame_of_any_kind_of_film_is_found(recipe: Recipe, tmp_path: Path) -> None:
    assert_excerpts_are_exact(recipe.write(tmp_path), every=5)


@pytest.mark.slow
@pytest.mark.parametrize("injury", INJURIES[:5], ids=lambda injury: injury.recipe)
def test_frames_around_damage_are_those_of_the_film(injury: object, tmp_path: Path) -> None:
    recipe = next(one for one in UNDAMAGED if one.name == injury.recipe)  # type: ignore[attr-defined]
    path = recipe.write(tmp_path)
    injury.apply(path)  # type: ignore[attr-defined]
    assert_excerpts_are_exact(path, every=4, numbered=False)


def test_every_frame_between_key_frames_is_found_exactly(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 25)
    FrameIndex.of(tmp_path / "a.mp4")  # the fast way is the one that is tested
    assert_excerpts_are_exact(tmp_path / "a.mp4")


@pytest.mark.parametrize("trim", [Trim(0.2, 0.7), Trim(every=3), Trim(0.1, 0.8, 4)])
def test_excerpts_keep_to_the_selected_part(trim: Trim, tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", 30)
    assert_excerpts_are_exact(tmp_path / "a.mp4", trim)


@pytest.mark.parametrize("trim", [WHOLE, Trim(0.1, 0.3), Trim(every=3)])
def test_numbered_pictures_are_found_without_an_index(trim: Trim, tmp_path: Path) -> None:
    for number in range(12):
        cv2.imwrite(str(tmp_path / f"f_{number:03}.png"), picture(number))
    assert_excerpts_are_exact(tmp_path / "f_%03d.png", trim, every=3)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])  # with an index, and without
def test_there_is_nothing_after_the_end(name: str, tmp_path: Path) -> None:
    write_film(tmp_path / name, 10)
    with open_film(tmp_path / name) as film:
        assert list(Seeker(film).excerpt(9.0)) == []
        (last,) = Seeker(film).excerpt(9.0, before=True)
    assert last.index == 9


def test_frames_of_a_file_that_changes_meanwhile_are_not_confused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_video(path, 30)
    index = FrameIndex.of(path)
    write_video(path, 12)
    with pytest.raises(NotIndexableError):
        list(index.frames_from(5, "a.mp4"))


@pytest.mark.parametrize("name", ["a.mp4", "a.avi"])
def test_a_closed_excerpt_ends(name: str, tmp_path: Path) -> None:
    write_film(tmp_path / name, 30)
    with open_film(tmp_path / name) as film:
        excerpt = Seeker(film).excerpt(0.2)
        frames = iter(excerpt)
        assert len(list(islice(frames, 2))) == 2
        excerpt.close()
        rest: list[Frame] = []
        with suppress(MisuseError):  # of the film below, where it is not at an end
            rest.extend(frames)
    assert rest == []
