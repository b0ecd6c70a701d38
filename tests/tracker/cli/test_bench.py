"""The command ``tracker bench``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli import run_cli
from tracker.reports.bench import run as bench
from tracker.reports.bench.records import BenchGrid


@pytest.mark.parametrize("size", ["640", "640x", "0x0", "640x480x3", "-640x480", "6400000x480"])
def test_an_invalid_size_is_wrong_usage(size: str) -> None:
    done = run_cli("bench", "--size", size)
    assert done.exit_code == 2
    assert "1280x720" in done.stderr


def test_repeated_options_are_collected(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[BenchGrid] = []
    monkeypatch.setattr(bench, "run_bench", lambda grid, *_: asked.append(grid))
    assert run_cli("bench").exit_code == 0
    assert run_cli("bench", "--faces", 1, "--faces", 5, "--size", "320x240", "--under-load").exit_code == 0
    assert asked == [BenchGrid(), BenchGrid(faces=(1, 5), sizes=((320, 240),), under_load=True)]


@pytest.mark.slow
def test_the_rows_are_written_as_json(tmp_path: Path) -> None:
    options = ("--backend", "cpu", "--frames", 12, "--threads", 1, "--under-load")
    done = run_cli("bench", *options, "--json", tmp_path / "b.json")
    assert done.exit_code == 0, done.stderr
    report = json.loads((tmp_path / "b.json").read_text())
    rows = {(row["mode"], row["stage"]): row for row in report["rows"]}
    stages = {"total", "crop", "infer", "points", "smooth", "measure", "other", "decode", "draw"}
    # While all faces are tracked the detector runs only now and then.
    assert {stage for mode, stage in rows if mode == "tracking"} in (stages, stages | {"detect"})
    assert {stage for mode, stage in rows if mode == "detect"} == stages | {"detect"}
    assert report["machine"]["cpu"]
    assert report["processes"][0]["start_s"] > 0
    for row in report["rows"]:
        assert row["provider"] == "CPUExecutionProvider"
        assert row["faces"] == 1
        assert 1 <= row["frames"] <= 12
        assert row["frames"] == 12 or row["stage"] == "detect"
        assert 0 < row["median_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert 0 < row["mean_ms"] <= row["p99_ms"] * row["frames"]
        assert row["fps"] == pytest.approx(1000 / row["median_ms"], rel=0.01, abs=0.06)
    assert report["machine"]["cpu"]
