from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from tracker.errors import SourceError
from tracker.sources.film import Film, Pending, Selection
from tracker.sources.trim import WHOLE, Trim
from tracker.types import Damage, ImageArray

NO_DAMAGE: Mapping[int, Damage] = {}


def _image() -> ImageArray:
    return np.zeros((2, 2, 3), np.uint8)


def _pending(count: int, damages: Mapping[int, Damage] = NO_DAMAGE) -> list[Pending]:
    return [Pending(_image, i, i / 10, "a", damages.get(i)) for i in range(count)]


class FakeFilm(Film):
    """Film of ten frames, 10 per second, with damage at some."""

    def __init__(self, trim: Trim = WHOLE, damages: Mapping[int, Damage] = NO_DAMAGE) -> None:
        super().__init__(Path("folder/a.mp4"), trim)
        self._damages = damages

    def all_frames(self) -> Iterator[Pending]:
        yield from _pending(10, self._damages)

    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("trim", "expected", "reached_end"),
    [
        (WHOLE, list(range(10)), True),
        (Trim(0.3), list(range(3, 10)), True),
        (Trim(0.3, 0.5), [3, 4], False),
        (Trim(every=4), [0, 4, 8], True),
        (Trim(0.1, 0.8, 3), [1, 4, 7], False),
        (Trim(5.0), [], True),
    ],
)
def test_a_selection_yields_the_frames_of_its_part(
    trim: Trim, expected: list[int], reached_end: bool
) -> None:
    selection = Selection(trim)
    assert [frame.index for frame in selection.of(_pending(10))] == expected
    assert selection.reached_end == reached_end


def test_damage_of_skipped_frames_is_reported_by_the_next_one_kept() -> None:
    damages = {1: Damage(2, byte=5), 3: Damage(guessed=True, byte=9), 9: Damage(1, lost_after=4)}
    frames = list(Selection(Trim(every=4)).of(_pending(10, damages)))
    assert [f.damage for f in frames] == [None, Damage(2, guessed=True, byte=5), Damage(lost_after=5)]
    unknown = list(Selection(Trim(every=4)).of(_pending(10, {9: Damage(1, None)})))
    assert unknown[-1].damage == Damage(lost_after=None)


def test_a_film_knows_its_newest_frame_and_whether_it_was_read_to_its_end() -> None:
    film = FakeFilm()
    assert (film.name, film.paths, film.last_s, film.exhausted) == ("a.mp4", (film.path,), None, False)
    frames = iter(film)
    for index in range(10):
        assert next(frames).index == index
        assert film.last_s == index / 10
    assert not film.exhausted
    assert next(frames, None) is None
    assert film.exhausted


def test_a_part_before_the_end_does_not_exhaust_a_film() -> None:
    film = FakeFilm(Trim(0.0, 0.5))
    assert len(list(film)) == 5
    assert not film.exhausted


def test_damage_is_summed_up_after_the_last_frame() -> None:
    film = FakeFilm(damages={4: Damage(3)})
    seen: list[int] = []
    with pytest.raises(SourceError, match="3 frames lost, first at frame 4"):
        seen.extend(frame.index for frame in film)
    assert seen == list(range(10))
    assert film.exhausted


def test_a_part_without_frames_is_an_error() -> None:
    with pytest.raises(SourceError, match=r"shows nothing from 60.0 s on: choose another --start"):
        list(FakeFilm(Trim(60.0)))
