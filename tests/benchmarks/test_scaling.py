"""Latency by faces and frame size, and memory by length."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

from typing import Never

import typer
from typer.testing import CliRunner

from benchmarks import scaling
from benchmarks.scaling import time_cases, track_long
from tests.timings import stage_timing
from tracker.errors import BenchError
from tracker.reports.bench.records import BenchGrid, BenchResults, StageTiming

app = typer.Typer()
app.command()(scaling.main)


def timing(
    stage: str, milliseconds: float, faces: int, size: tuple[int, int], mode: str = "tracking"
) -> StageTiming:
    width, height = size
    return stage_timing(stage, milliseconds, faces=faces, width=width, height=height, mode=mode)


def fake_measurements(grid: BenchGrid) -> BenchResults:
    """Inference takes 10 ms per face, the rest 0.5 ms and 0.2 ms for each further face."""
    timings = []
    for size in grid.sizes:
        for faces in grid.faces:
            timings += [timing("infer", 10.0 * faces, faces, size), timing("crop", 0.1, faces, size)]
            timings += [timing("total", 10.0 * faces + 0.5 + 0.2 * (faces - 1), faces, size)]
            timings += [timing("total", 99.0, faces, size, mode="detect")]
    return BenchResults(timings)


def test_each_further_face_adds_its_cost_outside_inference(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "measure_all", fake_measurements)
    first, *others = time_cases("resnet18", "cpu", 2, 100, [(640, 480)], [1, 2, 5])
    assert (first.total_ms, first.infer_ms, first.beside_ms) == (10.5, 10.0, 0.5)
    assert first.further_ms is None
    assert [step.further_ms for step in others] == pytest.approx([0.2, 0.2])


def test_faces_that_were_not_tracked_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "measure_all", lambda _: BenchResults([timing("total", 1.0, 4, (640, 480))]))
    with pytest.raises(BenchError, match="not all of 5 faces were followed at 640x480"):
        time_cases("resnet18", "cpu", 2, 100, [(640, 480)], [5])


@pytest.mark.slow
def test_memory_is_measured_along_a_video() -> None:
    memory = track_long("resnet18", "cpu", 1, 30)
    assert [one.frames for one in memory] == [1, *range(3, 31, 3)]
    assert all(30 < one.megabytes < 10_000 for one in memory)


def test_unknown_memory_is_refused_before_anything_is_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unknown() -> Never:
        raise BenchError("this system does not say")

    monkeypatch.setattr(scaling, "resident_mb", unknown)
    monkeypatch.setattr(scaling, "time_cases", None)
    assert isinstance(CliRunner().invoke(app, []).exception, BenchError)


@pytest.mark.slow
def test_the_command_writes_figures_and_a_plot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "measure_all", fake_measurements)
    table, plot = tmp_path / "s.json", tmp_path / "s.png"
    options = ["--length", "10", "--threads", "1", "--json", str(table), "--plot", str(plot)]
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 0, result.output
    report = json.loads(table.read_text())
    assert [step["faces"] for step in report["faces"]] == [1, 2, 3, 5]
    assert [step["width"] for step in report["sizes"]] == [640, 1280, 1920]
    assert report["memory"][-1]["frames"] == 10
    assert plot.read_bytes().startswith(b"\x89PNG")
