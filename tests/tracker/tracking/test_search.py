"""Search: new close-ups first, then changed ones, and the rest in turn; thumbnails."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tracker.inference.detection.views import View, close_ups
from tracker.tracking.search import COLUMNS, ROWS, Search, thumbnail
from tracker.types import FaceBox, FloatArray, ImageArray

HW = (1080, 1920)
TILES = close_ups(HW)
GREY = np.full((ROWS, COLUMNS), 100, np.float32)


def looks(
    search: Search,
    cells: FloatArray,
    followed: Sequence[FaceBox] = (),
    idle_frames: int = 10**6,
    tiles: Sequence[View] = TILES,
) -> list[int]:
    search.note(cells, HW, tiles, followed)
    chosen = search.next_close_up(idle_frames)
    return [] if chosen is None else [chosen]


def settled() -> Search:
    """After every close-up has been looked at."""
    search = Search()
    while looks(search, GREY):
        pass
    return search


def picture(*faces: tuple[float, float, float]) -> ImageArray:
    """A grey picture of 1080p with bright squares at (x, y) of a side."""
    image = np.full((*HW, 3), 100, np.uint8)
    for x, y, side in faces:
        image[round(y - side / 2) : round(y + side / 2), round(x - side / 2) : round(x + side / 2)] = 180
    return image


def test_all_close_ups_of_a_new_scene_are_looked_at_once_within_a_second() -> None:
    search = Search()
    for _ in range(2):
        seen = [looks(search, GREY) for _ in range(25)]
        assert all(len(views) <= 1 for views in seen)
        assert sorted(chain(*seen)) == list(range(len(TILES)))
        assert looks(search, GREY) == []
        search.restart()


def test_close_ups_without_changes_take_turns() -> None:
    search = settled()
    seen = [looks(search, GREY, idle_frames=1) for _ in range(2 * len(TILES))]
    assert seen == 2 * [[i] for i in range(len(TILES))]


@given(x=floats(60, 1860), y=floats(60, 1020))
def test_a_small_face_that_appears_is_looked_at_within_a_second(x: float, y: float) -> None:
    search = settled()
    cells = thumbnail(picture((x, y, 60)))
    seen = set(chain(*(looks(search, cells) for _ in range(25))))
    assert looks(search, cells) == []  # once each
    whole_in = [
        i for i, tile in enumerate(TILES)
        if abs(x - tile.center[0]) + 30 <= tile.reach[0] and abs(y - tile.center[1]) + 30 <= tile.reach[1]
    ]  # fmt: skip
    assert set(whole_in) <= seen


def test_the_close_up_not_looked_at_for_longest_comes_first() -> None:
    search = settled()
    first = looks(search, thumbnail(picture((300, 300, 200))))
    everywhere = list(chain(*(looks(search, GREY + 50) for _ in range(len(TILES)))))
    assert sorted(everywhere) == list(range(len(TILES)))
    assert everywhere[-1:] == first


@pytest.mark.slow
@given(sigma=floats(0, 8), seed=st.integers(0, 99))
def test_noise_is_not_a_change(sigma: float, seed: int) -> None:
    search, noise = settled(), np.random.default_rng(seed)
    image = picture().astype(float)
    # The mean of 16 pixels varies by a quarter of sigma; the threshold of 6 is three times the worst.
    for _ in range(3):
        noisy = np.clip(image + noise.normal(0, sigma / 2, image.shape[:2])[..., None], 0, 255)
        assert looks(search, thumbnail(noisy.astype(np.uint8))) == []


def test_slow_changes_add_up() -> None:
    search = settled()
    seen = [looks(search, GREY + step) for step in range(10)]
    assert [bool(views) for views in seen] == [False] * 7 + [True] * 3


def test_a_followed_face_hides_its_own_changes_and_no_others() -> None:
    face = FaceBox(880, 460, 1040, 620)
    for (x, y), hidden in (((960, 540), True), ((1000, 480), True), ((400, 300), False)):
        cells = thumbnail(picture((x, y, 100)))
        assert (looks(settled(), cells, [face]) == []) is hidden
        assert looks(settled(), cells) != []


def test_frames_may_change_their_size() -> None:
    search = settled()
    small = close_ups((480, 640))
    seen = []
    for _ in range(15):
        search.note(GREY, (480, 640), small, [])
        seen.append(search.next_close_up(10**6))
    assert [i for i in seen if i is not None] == list(range(len(small)))


@pytest.mark.parametrize("idle_frames", [1, 100])
def test_without_close_ups_there_is_nothing_to_choose(idle_frames: int) -> None:
    search = Search()
    assert looks(search, GREY, idle_frames=idle_frames, tiles=()) == []
    assert looks(search, GREY + 99, idle_frames=idle_frames, tiles=()) == []


def test_an_idle_search_looks_at_a_close_up_every_so_many_frames() -> None:
    search = settled()
    last = search.frame - int(search.looked_at.max())
    seen = [bool(looks(search, GREY, idle_frames=7)) for _ in range(28)]
    assert [i for i, looked in enumerate(seen) if looked] == [6 - last, 13 - last, 20 - last, 27 - last]


@pytest.mark.parametrize("hw", [(1, 1), (2, 500), (9, 7), (480, 640)])
def test_a_thumbnail_of_a_picture_of_any_size(hw: tuple[int, int]) -> None:
    assert np.array_equal(thumbnail(np.full((*hw, 3), 7, np.uint8)), np.full((ROWS, COLUMNS), 7))


def test_a_thumbnail_has_the_mean_of_each_cell() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, 320:] = 200
    cells = thumbnail(image)
    assert (cells[:, :16] == 0).all()
    assert (cells[:, 16:] == 200).all()
