"""Running the benchmark: processes, busy computers, outputs."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.timings import all_timings
from tracker.errors import BenchError, SinkError
from tracker.reports.bench import run as bench
from tracker.reports.bench.records import BenchCase, BenchGrid, BenchResults, ProcessCost
from tracker.reports.bench.run import measure_in_process, run_bench

CASE = BenchCase("cpu", "resnet18", None, 1, "none.mp4", 1, 10)
COST = ProcessCost("cpu", "unet-light", "int8", 16, 1280, 720, 5, 1.234, None)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> BenchResults:
    """Results that every run of the benchmark returns."""
    results = BenchResults(all_timings(), [COST])
    monkeypatch.setattr(bench, "measure_all", lambda _: results)
    return results


def test_an_error_in_the_process_is_raised_here() -> None:
    with pytest.raises(BenchError, match="unknown backend 'tpu'"):
        measure_in_process(BenchCase("tpu", "resnet18", None, 1, "none.mp4", 1, 10))


def test_a_process_that_dies_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], -9, stdout="", stderr="loading\nKilled: out of memory\n")

    monkeypatch.setattr(subprocess, "run", die)
    with pytest.raises(BenchError, match="resnet18 on cpu ended with code -9: Killed: out of memory"):
        measure_in_process(CASE)


def test_a_process_that_hangs_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        raise subprocess.TimeoutExpired("python", 3600)

    monkeypatch.setattr(subprocess, "run", hang)
    with pytest.raises(BenchError, match="resnet18 on cpu took more than an hour"):
        measure_in_process(CASE)


@pytest.mark.usefixtures("measured")
def test_a_busy_computer_is_refused_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "busy_share", lambda: 0.5)
    with pytest.raises(BenchError, match=r"use 50% of this computer's cores.*--under-load"):
        run_bench(BenchGrid(), None, None)
    run_bench(BenchGrid(under_load=True), None, None)


@pytest.mark.usefixtures("measured")
@pytest.mark.parametrize("share", [None, 0.0, 0.2])
def test_a_computer_that_is_idle_or_does_not_report_its_load_is_measured(
    monkeypatch: pytest.MonkeyPatch, share: float | None
) -> None:
    monkeypatch.setattr(bench, "busy_share", lambda: share)
    run_bench(BenchGrid(), None, None)


def test_outputs_that_cannot_be_written_are_refused_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "measure_all", None)
    for paths in ((tmp_path / "no" / "b.json", None), (None, tmp_path / "no" / "b.png")):
        with pytest.raises(SinkError):
            run_bench(BenchGrid(under_load=True), *paths)


def test_the_json_report_holds_machine_timings_and_processes(tmp_path: Path, measured: BenchResults) -> None:
    run_bench(BenchGrid(under_load=True), tmp_path / "b.json", None)
    report = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert list(report) == ["machine", "rows", "processes"]
    assert report["rows"] == [asdict(timing) for timing in measured.timings]
    assert report["processes"] == [asdict(COST)]


def test_a_case_survives_the_way_to_its_process() -> None:
    assert BenchCase(**json.loads(json.dumps(asdict(CASE)))) == CASE


@pytest.mark.usefixtures("measured")
def test_the_measured_video_is_never_an_output(tmp_path: Path) -> None:
    video = tmp_path / "in.mp4"
    video.write_bytes(b"film")
    for outputs in ((video, None), (None, video)):
        with pytest.raises(SinkError, match="it is the input"):
            run_bench(BenchGrid(video=video, under_load=True), *outputs)
    assert video.read_bytes() == b"film"
