"""The plot of the benchmark."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.timings import STAGES_MS, all_timings, stage_timing
from tracker.errors import BenchError
from tracker.reports.bench import run as bench
from tracker.reports.bench.records import BenchGrid, BenchResults


def test_the_plot_is_a_png_of_means_that_add_up_to_the_total() -> None:
    pytest.importorskip("matplotlib")
    from tracker.reports.bench.plot import draw_timings, stage_shares

    assert draw_timings(all_timings()).startswith(b"\x89PNG")
    timings = [stage_timing(stage, value) for stage, value in STAGES_MS.items()]
    ((label, shares),) = stage_shares(timings).items()
    assert label == "unet-light int8, CPU, 16 threads\n1280x720, 5 faces"
    assert shares == {"crop": 3.75, "infer": 125.0, "other": 25.5}
    assert sum(shares.values()) == pytest.approx(1.25 * 123.4)


def test_a_plot_without_matplotlib_is_refused_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure_all(_: BenchGrid) -> BenchResults:
        raise AssertionError("measured")

    monkeypatch.setattr(bench, "measure_all", measure_all)
    monkeypatch.delitem(sys.modules, "tracker.reports.bench.plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BenchError, match=r"pip install 'tracker68\[plot\]'"):
        bench.run_bench(BenchGrid(under_load=True), None, tmp_path / "b.png")
