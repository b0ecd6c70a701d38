"""The benchmark: its clip, its processes, its refusals, its tables and plot."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.faces import blazeface
from tracker.errors import BenchError, SinkError
from tracker.inference.opening import open_landmarker
from tracker.reports.bench import run as bench
from tracker.reports.bench.clip import portrait_frames, write_clip
from tracker.reports.bench.run import Wanted, in_a_process, measure_all, run_bench
from tracker.reports.bench.setting import Process, Row, Setting
from tracker.reports.bench.tables import tables
from tracker.sources.video.source import VideoSource
from tracker.system import machine
from tracker.tracking.face_tracker import FaceTracker
from tracker.tracking.settings import TrackerSettings


@pytest.fixture(scope="module")
def tracker() -> FaceTracker:
    landmarker = open_landmarker("resnet18", "cpu", 1).landmarker
    return FaceTracker(blazeface(), landmarker, TrackerSettings(max_faces=8))


@pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
@pytest.mark.parametrize("faces", [1, 2, 5])
def test_the_clip_shows_so_many_faces(tracker: FaceTracker, size: tuple[int, int], faces: int) -> None:
    for frame in list(portrait_frames(91, size, faces))[::30]:
        assert frame.image_hw == size[::-1]
        assert len(tracker.find(frame).faces) == faces


def test_faces_drift_and_come_back() -> None:
    first, quarter, *_, last = list(portrait_frames(121, (320, 240)))[::30]
    assert np.array_equal(first.image_bgr, last.image_bgr)
    assert not np.array_equal(first.image_bgr, quarter.image_bgr)


@pytest.mark.parametrize(("size", "faces"), [((640, 480), 0), ((640, 480), 200), ((40, 40), 1)])
def test_faces_that_do_not_fit_are_refused(size: tuple[int, int], faces: int) -> None:
    with pytest.raises(ValueError, match="do not fit"):
        next(portrait_frames(1, size, faces))


def test_the_clip_as_a_file_has_every_frame(tmp_path: Path) -> None:
    write_clip(tmp_path / "c.mp4", 12, (320, 240))
    with VideoSource(tmp_path / "c.mp4") as source:
        assert source.size == (320, 240)
        assert [frame.index for frame in source] == list(range(12))


def setting(**changes: Any) -> Setting:
    values: dict[str, Any] = {
        "backend": "cpu",
        "model": "resnet18",
        "precision": None,
        "threads": 1,
        "clip": "none.mp4",
        "faces": 1,
        "frames": 10,
    }
    return Setting(**{**values, **changes})


def test_two_faces_are_measured_in_both_modes() -> None:
    results = measure_all(Wanted(backends=["cpu"], threads=[1], sizes=[(320, 240)], faces=[2], frames=12))
    rows = {(row.mode, row.stage): row for row in results.rows}
    assert {row.faces for row in results.rows} == {2}
    # With all slots taken, tracking looks for larger faces now and then only.
    assert ("tracking", "detect") not in rows or rows["tracking", "detect"].frames == 1
    assert rows["detect", "detect"].frames == 12
    rows.pop(("tracking", "detect"), None)
    for mode in ("tracking", "detect"):
        inside = [row.median_ms for key, row in rows.items() if key[0] == mode and key[1] not in BESIDE]
        total = rows[mode, "total"]
        assert total.frames == 12
        assert 0 < sum(inside) < 1.5 * total.p95_ms  # medians of parts need not add up, but cannot be far off
    (process,) = results.processes
    assert (process.backend, process.width, process.height, process.faces) == ("cpu", 320, 240, 2)
    assert process.start_s > 0
    assert process.peak_mb is None or process.peak_mb > 30


BESIDE = ("total", "decode", "draw")


def test_what_does_not_open_in_the_process_is_said_here(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match="unknown backend 'tpu'"):
        in_a_process(setting(backend="tpu"))
    with pytest.raises(BenchError, match=r"none\.mp4"):
        in_a_process(setting())
    write_clip(tmp_path / "short.mp4", 25, (320, 240))
    with pytest.raises(BenchError, match="25 frames; a measurement needs 30"):
        in_a_process(setting(clip=str(tmp_path / "short.mp4")))


def test_a_process_that_dies_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], -9, stdout="", stderr="loading\nKilled: out of memory\n")

    monkeypatch.setattr(bench.subprocess, "run", die)
    with pytest.raises(BenchError, match="resnet18 on cpu ended with code -9: Killed: out of memory"):
        in_a_process(setting())


def test_a_busy_computer_is_refused_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "busy_share", lambda: 0.5)
    monkeypatch.setattr(bench, "measure_all", lambda _: bench.Results([], []))
    with pytest.raises(BenchError, match=r"use 50% of this computer's cores.*--under-load"):
        run_bench(Wanted(), None, None)
    run_bench(Wanted(under_load=True), None, None)


@pytest.mark.parametrize("share", [None, 0.0, 0.2])
def test_an_idle_computer_or_one_that_does_not_say_is_measured(
    monkeypatch: pytest.MonkeyPatch, share: float | None
) -> None:
    monkeypatch.setattr(bench, "busy_share", lambda: share)
    monkeypatch.setattr(bench, "measure_all", lambda _: bench.Results([], []))
    run_bench(Wanted(), None, None)


def test_the_others_share_of_the_cores_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stat = tmp_path / "stat"
    monkeypatch.setattr(machine, "_STAT", stat)
    assert machine.busy_share() is None
    #           user nice system idle iowait irq softirq steal guest
    stat.write_text("cpu 100 0 50 800 50 0 0 0 77\ncpu0 1 1 1 1\n")

    def pass_time(_: float) -> None:
        stat.write_text("cpu 130 0 60 850 60 0 0 0 99\n")  # 40 busy, 60 idle or waiting for a disk

    monkeypatch.setattr(time, "sleep", pass_time)
    assert machine.busy_share() == pytest.approx(0.4)


def test_files_that_cannot_be_written_are_refused_before_measuring(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "measure_all", None)
    for paths in ((tmp_path / "no" / "b.json", None), (None, tmp_path / "no" / "b.png")):
        with pytest.raises(SinkError):
            run_bench(Wanted(under_load=True), *paths)


def row(stage: str, milliseconds: float, **changes: Any) -> Row:
    values: dict[str, Any] = {
        "backend": "cpu",
        "provider": "CPUExecutionProvider",
        "model": "unet-light",
        "precision": "int8",
        "threads": 16,
        "width": 1280,
        "height": 720,
        "faces": 5,
        "mode": "tracking",
        "stage": stage,
        "median_ms": milliseconds,
        "p95_ms": 2 * milliseconds,
        "p99_ms": 3 * milliseconds,
        "fps": 1000 / milliseconds,
        "frames": 100,
    }
    return Row(**{**values, **changes})


STAGES: Mapping[str, float] = {"total": 123.4, "crop": 3.0, "infer": 100.0, "decode": 9.0, "draw": 1.5}


def test_the_tables_fit_80_columns_and_hold_the_figures() -> None:
    rows = [row(stage, value) for stage, value in STAGES.items()]
    rows += [row(stage, 2 * value, mode="detect") for stage, value in STAGES.items()]
    console = Console(width=80)
    with console.capture() as shown_text:
        for table in tables(rows, [Process("cpu", "unet-light", "int8", 16, 1280, 720, 5, 1.234, None)]):
            console.print(table)
    text = shown_text.get()
    assert "1280x720, 5 faces, tracking" in text
    assert "1280x720, 5 faces, detect" in text
    for shown in ("123.40", "246.80", "370.20", "100.00", "1.23", "unet-light int8, CPU, 16"):
        assert shown in text
    assert "…" not in text


def test_the_plot_is_a_picture_and_needs_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [row(stage, value) for stage, value in STAGES.items()]
    monkeypatch.setattr(bench, "measure_all", lambda _: bench.Results(rows, []))
    monkeypatch.delitem(sys.modules, "tracker.reports.bench.plot", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(BenchError, match=r"pip install 'tracker\[plot\]'"):
        run_bench(Wanted(under_load=True), None, tmp_path / "b.png")
    monkeypatch.undo()
    pytest.importorskip("matplotlib")
    from tracker.reports.bench.plot import draw_rows, shares

    assert draw_rows(rows).startswith(b"\x89PNG")
    (parts,) = shares(rows).values()
    assert parts["other"] == pytest.approx(123.4 - 103.0)


@pytest.mark.parametrize("size", ["640", "640x", "0x0", "640x480x3", "-640x480", "6400000x480"])
def test_a_size_that_is_none_is_wrong_usage(size: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tracker", "bench", "--size", size],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "1280x720" in done.stderr


def test_a_setting_travels_as_json() -> None:
    assert Setting(**json.loads(json.dumps(setting().__dict__))) == setting()
