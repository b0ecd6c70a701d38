"""Tables of the benchmark."""

from __future__ import annotations

from rich.console import Console

from tests.timings import all_timings
from tracker.reports.bench.records import ProcessCost
from tracker.reports.bench.tables import tables


def test_tables_fit_80_columns_and_show_all_numbers() -> None:
    console = Console(width=80)
    with console.capture() as captured:
        for table in tables(
            all_timings(), [ProcessCost("cpu", "unet-light", "int8", 16, 1280, 720, 5, 1.234, None)]
        ):
            console.print(table)
    text = captured.get()
    assert "1280x720, 5 faces, tracking" in text
    assert "1280x720, 5 faces, detect" in text
    for shown in ("123.40", "246.80", "370.20", "100.00", "1.23", "unet-light int8, CPU, 16"):
        assert shown in text
    assert "…" not in text
