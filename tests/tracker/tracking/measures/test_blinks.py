"""Blink counter on openness over time, at several frame rates."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import floats
from tracker.tracking.measures.blinks import BlinkCounter, BlinkThresholds
from tracker.types import FloatArray

FPS = (15, 30, 60, 120)
OPEN, CLOSED = 0.32, 0.09


def times(fps: float, end_s: float, phase: float = 0.0) -> FloatArray:
    return np.arange(phase / fps, end_s, 1 / fps)


def eyes(
    time_s: FloatArray, blinks: Sequence[tuple[float, float]], wide: float = OPEN, shut: float = CLOSED
) -> FloatArray:
    """Openness at ``time_s``; each blink ``(start, seconds)`` is a sine squared."""
    openness = np.full(time_s.shape, wide)
    for start, seconds in blinks:
        share = np.clip((time_s - start) / seconds, 0, 1)
        openness -= (wide - shut) * np.sin(np.pi * share) ** 2
    return openness


def watch(time_s: FloatArray, openness: FloatArray, counter: BlinkCounter | None = None) -> BlinkCounter:
    counter = counter or BlinkCounter()
    for t, value in zip(time_s.tolist(), openness.tolist(), strict=True):
        counter.update(value, t)
    return counter


def count(time_s: FloatArray, openness: FloatArray) -> int:
    return watch(time_s, openness).count


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("seconds", [0.2, 0.3, 0.5])
@given(phase=floats(0, 1))
def test_a_blink_is_counted_once_at_each_frame_rate(fps: int, seconds: float, phase: float) -> None:
    """A blink of 0.2 s or more is below the threshold for 0.1 s, so that 15 fps cannot miss it."""
    time_s = times(fps, 3, phase)
    assert count(time_s, eyes(time_s, [(1.5, seconds)])) == 1


@pytest.mark.parametrize("fps", FPS)
def test_two_blinks_are_counted(fps: int) -> None:
    time_s = times(fps, 4)
    assert count(time_s, eyes(time_s, [(1.0, 0.25), (1.4, 0.25)])) == 2


@given(st.lists(floats(1 / 120, 1 / 16), min_size=250, max_size=250))
def test_frame_times_may_be_uneven(steps: list[float]) -> None:
    time_s = np.cumsum(steps)  # two seconds at least
    assert count(time_s, eyes(time_s, [(0.5, 0.25), (1.3, 0.3)])) == 2


@pytest.mark.parametrize("fps", FPS)
def test_start_and_end_of_a_blink(fps: int) -> None:
    """Times are those at which the curve crosses the thresholds, to half a frame."""
    time_s = times(fps, 3, 0.3)
    counter = watch(time_s, eyes(time_s, [(1.5, 0.4)]))
    depth = (OPEN - CLOSED) / OPEN
    start = 1.5 + 0.4 * np.arcsin(np.sqrt(0.4 / depth)) / np.pi
    end = 1.9 - 0.4 * np.arcsin(np.sqrt(0.3 / depth)) / np.pi
    assert counter.last is not None
    assert counter.last.start_s == pytest.approx(start, abs=0.5 / fps)
    assert counter.last.end_s == pytest.approx(end, abs=0.5 / fps)


@pytest.mark.parametrize("fps", FPS)
def test_eyes_kept_closed_are_no_blink_and_later_blinks_count(fps: int) -> None:
    time_s = times(fps, 8)
    openness = eyes(time_s, [(6.0, 0.25)])
    openness[(time_s > 1) & (time_s < 3)] = CLOSED
    counter = watch(time_s, openness)
    assert counter.count == 1
    assert counter.last is not None
    assert 6 < counter.last.start_s < 6.25


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize(("wide", "shut"), [(0.18, 0.09), (0.25, 0.13), (0.45, 0.12)])
def test_the_level_adapts_to_narrow_and_wide_eyes(fps: int, wide: float, shut: float) -> None:
    time_s = times(fps, 6)
    counter = watch(time_s, eyes(time_s, [(2, 0.25), (3, 0.25), (5, 0.25)], wide, shut))
    assert counter.count == 3
    assert counter.level == pytest.approx(wide, rel=0.1)


@pytest.mark.parametrize("fps", FPS)
@pytest.mark.parametrize("seed", range(3))
def test_noise_neither_adds_nor_hides_blinks(fps: int, seed: int) -> None:
    """Noise of 5 %; closing is eight of its standard deviations."""
    time_s = times(fps, 60)
    starts = np.arange(2.0, 58.0, 4.0)
    noise = np.random.default_rng(seed).normal(1, 0.05, time_s.shape)
    assert count(time_s, noise * OPEN) == 0
    assert count(time_s, noise * eyes(time_s, [(start, 0.3) for start in starts])) == len(starts)


@given(floats(0.01, 100), st.sampled_from(FPS))
def test_the_scale_of_the_openness_does_not_matter(scale: float, fps: int) -> None:
    time_s = times(fps, 4)
    assert count(time_s, scale * eyes(time_s, [(1, 0.2), (2, 0.4), (3, 0.3)])) == 3


@pytest.mark.parametrize("fps", FPS)
def test_a_squint_is_no_blink(fps: int) -> None:
    time_s = times(fps, 5)
    assert count(time_s, eyes(time_s, [(2, 0.3), (3, 0.5)], shut=0.65 * OPEN)) == 0


def test_eyelids_that_flutter_between_the_thresholds_are_one_blink() -> None:
    """Openness of 0.55, 0.65, 0.55 times the level is one closing."""
    time_s = times(60, 3)
    openness = np.full(time_s.shape, OPEN)
    closed = (time_s > 1) & (time_s < 1.5)
    openness[closed] = OPEN * np.where(np.arange(closed.sum()) % 2, 0.65, 0.55)
    assert count(time_s, openness) == 1


@pytest.mark.parametrize("fps", [60, 120])
def test_an_outlier_of_one_frame_is_no_blink_at_a_high_frame_rate(fps: int) -> None:
    time_s = times(fps, 3)
    openness = np.full(time_s.shape, OPEN)
    openness[len(openness) // 2] = CLOSED
    assert count(time_s, openness) == 0


@pytest.mark.parametrize("fps", FPS)
def test_wide_eyes_that_become_normal_again_are_no_blink(fps: int) -> None:
    time_s = times(fps, 10)
    openness = np.full(time_s.shape, OPEN)
    openness[(time_s > 3) & (time_s < 5)] = 1.35 * OPEN
    assert count(time_s, openness) == 0


@pytest.mark.parametrize("fps", FPS)
def test_blinks_count_after_a_start_with_closed_eyes(fps: int) -> None:
    """Opening them is no blink, and within a second the level is known."""
    time_s = times(fps, 6)
    openness = eyes(time_s, [(3, 0.25), (4, 0.25), (5, 0.25)])
    openness[time_s < 2] = CLOSED
    assert count(time_s, openness) == 3


def test_eyes_that_stay_narrower_become_the_new_level() -> None:
    """As in brighter light: eyes half as wide, in which blinks are counted after some time."""
    time_s = times(30, 60)
    openness = eyes(time_s, [(50, 0.3), (55, 0.3)], wide=0.5 * OPEN, shut=0.2 * OPEN)
    openness[time_s < 5] = OPEN
    assert count(time_s, openness) == 2


def test_no_blink_spans_a_gap() -> None:
    """Closed before and open after a gap, or open before and closed after."""
    counter = BlinkCounter()
    updates: Iterable[tuple[float, float]] = [
        *((OPEN, t / 30) for t in range(30)),
        (CLOSED, 1.0), (CLOSED, 1.03), (OPEN, 1.5), (OPEN, 1.53),
        (CLOSED, 2.0), (CLOSED, 2.03), (OPEN, 2.06), (OPEN, 2.1),
    ]  # fmt: skip
    for openness, time_s in updates:
        counter.update(openness, time_s)
    assert counter.count == 0
    assert counter.level == pytest.approx(OPEN, rel=0.01)
    later = times(30, 3) + 4
    assert watch(later, eyes(later, [(5, 0.3)]), counter).count == 1


def test_time_that_does_not_advance_ends_a_blink() -> None:
    counter = BlinkCounter()
    for openness, time_s in (
        (OPEN, 1.0),
        (CLOSED, 1.1),
        (OPEN, 1.1),
        (OPEN, 0.2),
        (CLOSED, 0.3),
        (OPEN, 0.1),
    ):
        counter.update(openness, time_s)
    assert counter.count == 0


@pytest.mark.parametrize("fps", [1, 2, 3])
def test_no_blinks_are_counted_at_very_low_frame_rates(fps: int) -> None:
    time_s = times(fps, 60)
    assert count(time_s, OPEN * (0.2 + 0.8 * (np.arange(len(time_s)) % 2))) == 0


@pytest.mark.parametrize("values", [(np.nan, 0), (0.3, np.inf), (-0.1, 0), (np.inf, 0)])
def test_impossible_values_are_refused(values: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="openness"):
        BlinkCounter().update(*values)


@pytest.mark.parametrize(
    "wrong",
    [
        {"close": 0.0}, {"close": 0.8}, {"open": 1.0}, {"min_s": -0.1}, {"min_s": 0.7}, {"rise_s": 0.0},
        {"fall_s": -1.0}, {"gap_s": 0.0},
    ],
)  # fmt: skip
def test_thresholds_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="blinks need"):
        BlinkThresholds(**wrong)
