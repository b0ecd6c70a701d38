"""Ids in generated films of real faces, tracked by the shipped models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.identity import all_ids, crossing, ids_of
from benchmarks.identity_films import Film, Place, Portrait, Scene, read_portraits, still
from tests.cache import Trackers
from tests.faces import astronaut
from tracker.types import FrameResult

Track = Callable[..., list[FrameResult]]


@pytest.fixture
def track(trackers: Trackers) -> Track:
    def run(film: Film, **options: Any) -> list[FrameResult]:
        tracker = trackers.fresh(**{"model": "resnet18", **options})
        return [tracker.step(frame) for frame in film.frames()]

    return run


@pytest.fixture(scope="module")
def portrait() -> Portrait:
    return Portrait(astronaut(), (186.0, 138.0), 105.0)


@pytest.fixture(scope="module")
def people(data_dir: Path) -> Sequence[Portrait]:
    if not (data_dir / "300w").is_dir():
        pytest.skip(f"no 300w in {data_dir}")
    return read_portraits(data_dir, 40)


@pytest.mark.parametrize("level", [0, 255])
def test_a_blank_frame_costs_one_frame(track: Track, portrait: Portrait, level: int) -> None:
    person = still(0, 300, 240, 60)
    scenes = [Scene([person(i)], blank=level if i == 12 else None) for i in range(16)]
    film = Film([portrait], scenes)
    assert ids_of(film, track(film), 0)[8:] == [1] * 4 + [None] + [1] * 3


@pytest.mark.parametrize("fps", [3, 5, 10, 15, 25, 30, 60])
def test_a_head_that_walks_keeps_its_id_at_any_frame_rate(
    track: Track, portrait: Portrait, fps: float
) -> None:
    times = np.arange(0, 4, 1 / fps)
    places = [Place(0, (320 + 190 * np.sin(1.65 * t), 250 + 14 * np.sin(6 * t)), 300) for t in times]
    film = Film([portrait], [Scene([place]) for place in places], fps=fps, drift=0)
    assert all_ids(track(film)) == {1}


def test_a_fade_to_the_dark_and_back_keeps_the_id(track: Track, portrait: Portrait) -> None:
    lights = [*np.linspace(1, 0.06, 25), *[0.06] * 5, *np.linspace(0.06, 1, 25)]
    person = still(0, 320, 240, 150)
    scenes = [Scene([person(i)], light=float(light)) for i, light in enumerate(lights)]
    assert all_ids(track(Film([portrait], scenes))) == {1}


def test_a_dim_and_noisy_picture_keeps_the_id(track: Track, portrait: Portrait) -> None:
    person = still(0, 320, 240, 150)
    results = track(Film([portrait], [Scene([person(i)], light=0.1, noise=5) for i in range(40)]))
    assert all_ids(results) == {1}
    # The whole picture is too coarse here, and the close-ups have their turn from the second frame on.
    assert all(result.faces for result in results[1:])


@pytest.mark.parametrize("fps", [30, 15, 5])
def test_a_hidden_frame_gives_the_only_slot_to_nobody_else(
    track: Track, people: Sequence[Portrait], fps: float
) -> None:
    main, other = still(0, 220, 240, 150), still(1, 480, 240, 120)
    scenes = [Scene([other(i)] if i == 12 else [other(i), main(i)]) for i in range(24)]
    film = Film(people, scenes, fps=fps)
    results = track(film, max_faces=1)
    assert set(ids_of(film, results, 1)) == {None}
    assert set(ids_of(film, results, 0)[13:]) == {1}


@pytest.mark.parametrize("fps", [3, 10, 25, 60])
def test_nobody_goes_on_under_the_id_of_the_scene_before(
    track: Track, people: Sequence[Portrait], fps: float
) -> None:
    before, after = still(3, 300, 240, 140), still(8, 330, 250, 150)
    scenes = [Scene([before(i)]) for i in range(8)] + [Scene([after(i)], ground=1) for i in range(8, 16)]
    film = Film(people, scenes, fps=fps)
    results = track(film)
    first, second = ({*ids_of(film, results, person)} - {None} for person in (3, 8))
    assert first
    assert second
    assert not first & second


def test_flashes_from_one_side_then_the_other_keep_the_id(track: Track, portrait: Portrait) -> None:
    ramp = np.linspace(1, 0, 640) ** 2
    lights = [0.25 + 3 * (ramp if i % 4 in (1, 2) else ramp[::-1]) for i in range(24)]
    person = still(0, 320, 240, 150)
    film = Film([portrait], [Scene([person(i)], light=light) for i, light in enumerate(lights)], drift=0)
    assert all_ids(track(film)) == {1}


def test_another_person_framed_alike_gets_another_id(track: Track, people: Sequence[Portrait]) -> None:
    kept = 0
    for case in range(6):
        before, after = still(case, 320, 240, 140), still(case + 12, 322, 243, 146)
        film = Film(people, [Scene([(before if i < 8 else after)(i)]) for i in range(12)])
        results = track(film)
        found = [set(filter(None, ids_of(film, results, person))) for person in (case, case + 12)]
        assert all(found)
        kept += bool(found[0] & found[1])
    assert kept <= 1


@pytest.mark.slow
def test_of_24_crossings_none_steals_an_id_and_18_keep_both(track: Track, people: Sequence[Portrait]) -> None:
    outcomes = Counter(crossing(people, case, track) for case in range(24))
    assert outcomes["stolen"] == 0
    assert outcomes["both kept"] >= 18, outcomes


def test_a_person_who_passes_in_front_takes_no_id(track: Track, people: Sequence[Portrait]) -> None:
    behind = still(2, 320, 240, 110)
    scenes = [Scene([behind(i), Place(5, (120 + 12 * i, 250), 130)]) for i in range(34)]
    film = Film(people, scenes, drift=0.3)
    results = track(film)
    ids = [ids_of(film, results, person) for person in (2, 5)]
    assert {one[-2] for one in ids} == {one[3] for one in ids} == {1, 2}
    assert [one[-2] for one in ids] == [one[3] for one in ids]
