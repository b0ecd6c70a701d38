"""Playback of a film: its speed, pauses and jumps, on a clock of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from tests.fake_run import frames
from tests.media import picture_index, write_video
from tracker.errors import SourceError
from tracker.runs.playback import Extent, Playback
from tracker.sources.film import Film
from tracker.sources.opening import open_film
from tracker.sources.seeking import Seeker
from tracker.sources.trim import Trim
from tracker.types import Frame

COUNT, FPS = 30, 30


class Clock:
    """Clock that only waiting and :meth:`work` advance."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def wait(self, wait_s: float) -> bool:
        self.now_s += wait_s
        return True

    def work(self, for_s: float) -> None:
        self.now_s += for_s


@pytest.fixture
def film(tmp_path: Path) -> Iterator[Film]:
    write_video(tmp_path / "a.mp4", COUNT)
    with open_film(tmp_path / "a.mp4") as opened:
        yield opened


def player(film: Film, clock: Clock, jumped: Callable[[], None] = lambda: None) -> Playback:
    playback = Playback(film, Extent.of(film), Seeker(film), jumped, film.close, clock)
    playback.idle = clock.wait
    return playback


def test_each_frame_is_yielded_when_its_time_has_come(film: Film) -> None:
    clock, shown = Clock(), []
    with player(film, clock) as playback:
        for frame in playback:
            shown.append((frame.index, clock.now_s - 100 - frame.time_s))
    assert [index for index, _ in shown] == list(range(COUNT))
    assert all(late_s == pytest.approx(0, abs=1e-6) for _, late_s in shown)
    assert playback.speed is None
    assert not playback.stopped


def test_a_slow_loop_skips_frames_to_keep_the_time(film: Film) -> None:
    clock, shown = Clock(), []
    with player(film, clock) as playback:
        for frame in playback:
            shown.append(frame.index)
            assert clock.now_s - 100 - frame.time_s <= 1 / FPS + 1e-6
            clock.work(0.09)
    assert 8 < len(shown) < 14
    assert shown == sorted(set(shown))


def test_with_outputs_every_frame_comes_at_once_and_the_speed_is_told() -> None:
    clock, shown = Clock(), []
    playback = Playback(frames(100), Extent(0, 4, 1 / 25), clock=clock)
    playback.idle = clock.wait
    with playback:
        for frame in playback:
            shown.append(frame.index)
            clock.work(0.02)
    assert shown == list(range(100))
    assert not playback.can_seek
    assert playback.speed == pytest.approx(2.0, rel=0.05)


def test_a_loop_too_slow_for_any_skipping_tells_its_speed(film: Film) -> None:
    class Waiting(Playback):
        """Playback whose frames take as long to be read as two frames last."""

        def _read(self) -> Frame | None:
            clock.work(2 / FPS)
            return super()._read()

    clock, speeds = Clock(), []
    playback = Waiting(film, Extent.of(film), Seeker(film), clock=clock)
    playback.idle = clock.wait
    with playback:
        for _ in playback:
            speeds.append(playback.speed)
    assert speeds[0] is None
    assert speeds[-1] == pytest.approx(0.5, abs=0.1)


def run(playback: Playback, script: Mapping[int, Callable[[], object]], most: int = 200) -> list[int]:
    """Return the numbers of the frames shown; ``script`` says what to do after so many of them."""
    shown: list[int] = []
    with playback:
        for frame in playback:
            assert picture_index(frame.image_bgr) == frame.index
            shown.append(frame.index)
            script.get(len(shown), lambda: None)()
            if len(shown) == most:
                break
    return shown


def test_a_pause_shows_nothing_until_it_ends_and_no_time_passes_in_the_film(film: Film) -> None:
    clock, waits = Clock(), []
    playback = player(film, clock)

    def wait(wait_s: float) -> bool:
        waits.append(wait_s)
        if len(waits) == 500 and playback.paused:
            playback.toggle_pause()
        return clock.wait(wait_s)

    playback.idle = wait
    shown = run(playback, {5: playback.toggle_pause})
    assert shown == list(range(COUNT))  # nothing is skipped to catch up
    assert clock.now_s - 100 > 5


def test_the_user_may_quit_in_a_pause(film: Film) -> None:
    clock = Clock()
    playback = player(film, clock)
    playback.idle = lambda wait_s: clock.wait(wait_s) and not playback.paused
    assert run(playback, {5: playback.toggle_pause}) == list(range(5))
    assert playback.stopped


def test_seeking_goes_to_the_frame_of_that_time_and_plays_on(film: Film) -> None:
    jumps: list[int] = []
    playback = player(film, Clock(), lambda: jumps.append(1))
    shown = run(playback, {3: lambda: playback.seek(0.5), 6: lambda: playback.seek(-0.4)}, most=9)
    assert shown == [0, 1, 2, 17, 18, 19, 7, 8, 9]
    assert len(jumps) == 2


def test_seeking_keeps_within_the_film_and_adds_up(film: Film) -> None:
    playback = player(film, Clock())

    def twice_back() -> None:
        playback.seek(-0.2)
        playback.seek(-0.1)

    assert run(playback, {2: lambda: playback.seek(60), 3: twice_back, 4: lambda: playback.seek(-60)}, 5) == [
        *(0, 1),
        *(29, 20, 0),
    ]


def test_seeking_keeps_to_the_selected_part(tmp_path: Path) -> None:
    write_video(tmp_path / "a.mp4", COUNT)
    with open_film(tmp_path / "a.mp4", Trim(0.3, 0.6)) as part:
        playback = player(part, Clock())
        shown = run(playback, {2: lambda: playback.seek(-60), 4: lambda: playback.seek(60)})
    assert shown == [9, 10, 9, 10, 17]


def test_steps_show_one_frame_and_stay_paused(film: Film) -> None:
    playback = player(film, Clock())
    steps = [(True, 6), (True, 7), (False, 6), (False, 5), (False, 4), (True, 5)]
    script = {6 + n: partial(playback.step, forward) for n, (forward, _) in enumerate(steps)}
    shown = run(playback, script, most=6 + len(steps))
    assert shown[:6] == list(range(6))
    assert shown[6:] == [index for _, index in steps]
    assert playback.paused


def test_a_step_beyond_either_end_stays_there(film: Film) -> None:
    clock, waits = Clock(), []
    playback = player(film, clock)

    def idle(wait_s: float) -> bool:
        waits.append(playback.at_end)
        if playback.at_end and len(waits) > 3:
            playback.toggle_pause()  # going on from the last frame ends the film
        return clock.wait(wait_s)

    playback.idle = idle
    back = {1: lambda: playback.step(False), 2: lambda: playback.seek(60), 3: lambda: playback.step(True)}
    assert run(playback, back) == [0, 0, 29]
    assert playback.at_end


def test_steps_from_the_last_frame_do_not_keep_the_film_from_ending(film: Film) -> None:
    clock, waits = Clock(), []
    playback = player(film, clock)
    acts: Iterator[Callable[[], bool]]
    acts = iter([partial(playback.step, True), partial(playback.step, True), playback.toggle_pause])

    def idle(wait_s: float) -> bool:
        waits.append(wait_s)
        if playback.at_end and (act := next(acts, None)):
            act()
        return clock.wait(wait_s) and len(waits) < 1000

    playback.idle = idle
    assert run(playback, {1: lambda: playback.seek(60), 2: partial(playback.step, True)}) == [0, 29]
    assert playback.at_end
    assert not playback.stopped


def test_without_a_seeker_only_a_pause_is_possible() -> None:
    playback = Playback(frames(5), Extent(0, 1, 0.04))
    shown = run_plain(playback, lambda: (playback.seek(1), playback.step(True), playback.step(False)))
    assert shown == [0, 1, 2, 3, 4]
    assert not playback.paused


def run_plain(playback: Playback, act: Callable[[], tuple[bool, ...]]) -> list[int]:
    with playback:
        shown = []
        for frame in playback:
            shown.append(frame.index)
            assert not any(act())
    return shown


def test_an_error_of_the_film_comes_after_its_last_frame() -> None:
    def damaged() -> Iterator[Frame]:
        yield from frames(3)
        raise SourceError("broken")

    shown: list[int] = []
    with pytest.raises(SourceError, match="broken"), Playback(damaged()) as playback:
        shown.extend(frame.index for frame in playback)
    assert shown == [0, 1, 2]


def test_closing_ends_the_threads_of_film_and_excerpts(film: Film) -> None:
    before = threading.active_count()
    playback = player(film, Clock())
    run(playback, {2: lambda: playback.seek(0.3), 4: lambda: playback.seek(-0.3)}, most=5)
    assert not [thread for thread in threading.enumerate() if thread.name == "reading ahead"]
    assert threading.active_count() <= before


@pytest.mark.parametrize("values", [(0.0, -1.0, 0.04), (0.0, 1.0, 0.0), (0.0, float("nan"), 0.04)])
def test_an_impossible_extent_is_refused(values: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="finite times in order"):
        Extent(*values)


def test_the_extent_is_that_of_the_selected_part(film: Film, tmp_path: Path) -> None:
    whole = Extent.of(film)
    assert whole is not None
    assert (whole.start_s, whole.end_s) == pytest.approx((0.0, 1.0))
    assert [whole.share(time_s) for time_s in (-1, 0, 0.5, 2)] == pytest.approx([0, 0, 0.5, 1])
    with open_film(tmp_path / "a.mp4", Trim(0.2, 0.6, every=2)) as part:
        assert Extent.of(part) == Extent(0.2, 0.6, 2 / 30)
