from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from tests.strategies import floats
from tracker.sources.video.timestamps import in_order


def _times(stated: list[float | None], step_s: float = 1.0) -> list[float]:
    return [time_s for _, time_s, _ in in_order([(None, t) for t in stated], step_s)]


def _corrected(stated: list[float | None]) -> list[int]:
    return [i for i, (_, _, corrected) in enumerate(in_order([(None, t) for t in stated], 1.0)) if corrected]


@given(st.lists(floats(0, 1e6), max_size=30).map(sorted))
def test_ordered_times_stay_as_they_are(stated: list[float]) -> None:
    assert _times(list(stated)) == stated
    assert _corrected(list(stated)) == []


def test_items_without_a_time_follow_after_one_step() -> None:
    assert _times([None, None, None], 0.5) == [0.0, 0.5, 1.0]
    assert _times([3.0, None, None, 9.0]) == [3.0, 4.0, 5.0, 9.0]


def test_a_single_wrong_time_becomes_the_mean_of_its_neighbours() -> None:
    for wrong in (5000.0, 0.5, 1e300, -1e300):
        assert _times([1.0, 2.0, wrong, 4.0, 5.0]) == [1.0, 2.0, 3.0, 4.0, 5.0]
        assert _corrected([1.0, 2.0, wrong, 4.0, 5.0]) == [2]
    assert _times([77.0, 2.0, 3.0]) == [1.0, 2.0, 3.0]


def test_times_continue_after_a_clock_restarts() -> None:
    assert _times([10.0, 11.0, 0.0, 1.0, 2.5]) == [10.0, 11.0, 12.0, 13.0, 14.5]
    assert _corrected([10.0, 11.0, 0.0, 1.0, 2.5]) == []  # recordings were joined
    assert _corrected([10.0, 11.0, 0.0]) == [2]
    assert _corrected([10.0, 11.0, 5.0, 3.0, 4.0]) == [2]


def test_a_time_too_large_to_be_precise_moves_no_other() -> None:
    assert _times([1e308, 0.0, 1.0]) == [-1.0, 0.0, 1.0]
    assert _times([1e10, 1e10 + 1, 1e10 + 2]) == [0.0, 1.0, 2.0]


@given(
    st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), max_size=30)
)
@example([1.7976931348623157e308, -9.9792015476736e291, 0.0, 0.0])
def test_times_never_run_backwards(stated: list[float | None]) -> None:
    times = _times(stated)
    assert len(times) == len(stated)
    assert all(a <= b for a, b in pairwise(times))
    assert all(abs(t) < 1e12 for t in times)
