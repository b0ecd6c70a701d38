"""Measuring a grid of cases one after another, reported as a table, as JSON and as a plot."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from tracker.errors import BenchError
from tracker.inference.backends import default_threads
from tracker.reports.bench.clip import write_clip
from tracker.reports.bench.records import BenchCase, BenchGrid, BenchResults, ProcessCost, StageTiming
from tracker.reports.bench.tables import tables
from tracker.reports.bench.worker import WARM_UP
from tracker.system.files import check_output, guarded_write, write_whole
from tracker.system.machine import busy_share, describe_machine
from tracker.system.signals import raise_swallowed
from tracker.system.terminal import progress_bar

BUSY = 0.2
"""Largest share of all cores that other programs may use while measuring."""

_LIMIT_S = 3600


def run_bench(grid: BenchGrid, json_path: Path | None, plot_path: Path | None) -> None:
    """Measure, print tables, write ``json_path`` and draw ``plot_path`` if given.

    Raises :class:`~tracker.errors.TrackerError` if something cannot be opened, the computer is busy, or an
    output cannot be written; before measuring where that is known by then.
    """
    for path in filter(None, (json_path, plot_path)):
        check_output(path, filter(None, [grid.video]))
    if plot_path:
        from tracker.reports.bench.plot import draw_timings
    _check_load(grid)
    results = measure_all(grid)
    console = Console()
    for table in tables(results.timings, results.processes):
        console.print(table)
    if json_path:
        with guarded_write(json_path):
            write_whole(json_path, _report(results).encode("utf-8", "backslashreplace"))
    if plot_path:
        with guarded_write(plot_path):
            write_whole(plot_path, draw_timings(results.timings))


def measure_all(grid: BenchGrid) -> BenchResults:
    """Measure all cases, one at a time, each in a process of its own."""
    results = BenchResults()
    with tempfile.TemporaryDirectory() as folder:
        cases = _cases(grid, Path(folder))
        with progress_bar("measuring", len(cases)) as advance:
            for case in cases:
                raise_swallowed()
                timings, process = measure_in_process(case)
                results.timings.extend(timings)
                results.processes.append(process)
                advance()
    return results


def measure_in_process(case: BenchCase) -> tuple[list[StageTiming], ProcessCost]:
    """Run :func:`tracker.reports.bench.worker.measure` in a new process.

    Raises :class:`~tracker.errors.BenchError` with the error of that process, or with the last line of its
    standard error if it dies.
    """
    command = [sys.executable, "-m", "tracker.reports.bench.worker", json.dumps(asdict(case))]
    command.append(repr(time.time()))
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{case.model} on {case.backend} took more than an hour") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        last = done.stderr.strip().rpartition("\n")[2]
        raise BenchError(
            f"measuring {case.model} on {case.backend} ended with code {done.returncode}: {last}"
        ) from error
    if "error" in answer:
        raise BenchError(answer["error"])
    return [StageTiming(**row) for row in answer["rows"]], ProcessCost(**answer["process"])


def _cases(grid: BenchGrid, folder: Path) -> list[BenchCase]:
    """Return all combinations, their clips written into ``folder``."""
    return [
        BenchCase(backend, model, precision, threads or default_threads(), str(clip), faces, grid.frames)
        for clip, faces in _clips(grid, folder)
        for backend, model, precision, threads in itertools.product(
            grid.backends, grid.models, grid.precisions, grid.threads
        )
    ]


def _clips(grid: BenchGrid, folder: Path) -> list[tuple[Path, int]]:
    """Return each clip with the number of faces to track in it."""
    if grid.video:
        return [(grid.video.resolve(), faces) for faces in grid.faces]
    clips = []
    for (width, height), faces in itertools.product(grid.sizes, grid.faces):
        path = folder / f"{width}x{height}_{faces}.mp4"
        try:
            write_clip(path, WARM_UP + grid.frames, (width, height), faces)
        except ValueError as error:
            raise BenchError(str(error)) from error
        clips.append((path, faces))
    return clips


def _check_load(grid: BenchGrid) -> None:
    busy = busy_share()
    if busy is not None and busy > BUSY and not grid.under_load:
        raise BenchError(
            f"other programs use {busy:.0%} of this computer's cores: figures would be of them, too; stop "
            "them, or measure all the same with --under-load"
        )


def _report(results: BenchResults) -> str:
    report = {
        "machine": describe_machine(),
        "rows": [asdict(timing) for timing in results.timings],
        "processes": [asdict(process) for process in results.processes],
    }
    return json.dumps(report, indent=2) + "\n"
