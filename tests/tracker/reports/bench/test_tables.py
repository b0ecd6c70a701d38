"""Tables of the benchmark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.strategies import floats
from tests.timings import all_timings, stage_timing
from tracker.reports.bench.records import ProcessCost, StageTiming
from tracker.reports.bench.tables import printed_means, tables
from tracker.types import STAGES as TRACKING

COST = ProcessCost("cpu", "unet-light", "int8", 16, 1280, 720, 5, 1.234, None)


def printed(timings: Sequence[StageTiming]) -> str:
    console = Console(width=80)
    with console.capture() as captured:
        for table in tables(timings, [COST]):
            console.print(table)
    return captured.get()


def test_tables_fit_80_columns_and_show_all_numbers() -> None:
    text = printed(all_timings())
    assert "1280x720, 5 faces, 16 threads, tracking" in text
    assert "1280x720, 5 faces, 16 threads, detect" in text
    for shown in (
        "154.25",
        "123.40",
        "246.80",
        "370.20",
        "125.00",
        "25.50",
        "11.25",
        "1.23",
        "unet-light int8, CPU",
    ):
        assert shown in text
    assert "…" not in text


def test_detection_is_printed_as_a_mean_over_all_frames_and_where_it_ran() -> None:
    """Four detections of 5 ms in 100 frames are 0.2 ms a frame."""
    detect = stage_timing("detect", 5.0, mean_ms=0.2, frames=4)
    text = printed([stage_timing("total", 8.0, mean_ms=8.0), detect, *all_timings()[4:6]])
    assert re.search(r" 0\.20 +5\.00 \(4\) ", text)


def test_each_number_of_threads_has_a_table_with_its_name() -> None:
    more = [stage_timing(one.stage, one.median_ms, threads=1) for one in all_timings()[:6]]
    text = printed([*all_timings()[:6], *more])
    assert "5 faces, 16 threads, tracking" in text
    assert "5 faces, 1 thread, tracking" in text


@given(st.dictionaries(st.sampled_from(TRACKING), floats(0, 500)), floats(0, 50))
def test_printed_stages_add_up_to_the_printed_total(means: dict[str, float], other: float) -> None:
    """Added up without rounding; every stage is printed, also one that never ran."""
    total = sum(means.values()) + other
    stages = {name: stage_timing(name, 1.0, mean_ms=mean) for name, mean in means.items()}
    stages |= {
        name: stage_timing(name, 1.0, mean_ms=mean) for name, mean in (("other", other), ("total", total))
    }
    cells = printed_means(stages)
    assert set(cells) == {*TRACKING, "other"}
    assert sum(map(Decimal, cells.values())) == Decimal(f"{total:.2f}")
    assert abs(float(cells["other"]) - other) <= 0.005 * (len(means) + 1) + 1e-6
