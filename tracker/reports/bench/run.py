"""All settings one after another, as a table, as JSON and as a plot."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console

from tracker.errors import BenchError
from tracker.inference.backends import default_threads
from tracker.reports.bench.clip import write_clip
from tracker.reports.bench.setting import Process, Row, Setting
from tracker.reports.bench.tables import tables
from tracker.reports.bench.worker import WARM_UP
from tracker.system.files import check_output, sink_errors
from tracker.system.machine import busy_share, describe_machine
from tracker.system.terminal import progress_bar

BUSY = 0.2
"""Share of all cores that other programs may use before figures are not worth having."""

_LIMIT_S = 3600


@dataclass(frozen=True)
class Wanted:
    """What ``tracker bench`` was asked for; every combination is measured.

    ``sizes`` are (width, height). With ``video`` that file is the clip, ``sizes`` do not matter, and
    ``faces`` bounds how many are followed. ``under_load`` measures on a busy computer, too.
    """

    backends: Sequence[str] = ("auto",)
    models: Sequence[str] = ("resnet18",)
    precisions: Sequence[str | None] = (None,)
    threads: Sequence[int] = (0,)
    sizes: Sequence[tuple[int, int]] = ((640, 480),)
    faces: Sequence[int] = (1,)
    frames: int = 300
    video: Path | None = None
    under_load: bool = False


@dataclass(frozen=True)
class Results:
    """Everything that was measured."""

    rows: list[Row]
    processes: list[Process]


def run_bench(wanted: Wanted, json_path: Path | None, plot_path: Path | None) -> None:
    """Measure, print a table, write ``json_path`` and draw ``plot_path`` if given.

    Raises :class:`~tracker.errors.TrackerError` for what does not open, a busy computer, and files that
    cannot be written: before measuring where that can be told.
    """
    for path in filter(None, (json_path, plot_path)):
        check_output(path)
    if plot_path:
        from tracker.reports.bench.plot import draw_rows
    _refuse_load(wanted)
    results = measure_all(wanted)
    console = Console()
    for table in tables(results.rows, results.processes):
        console.print(table)
    if json_path:
        report = {
            "machine": describe_machine(),
            "rows": [asdict(row) for row in results.rows],
            "processes": [asdict(process) for process in results.processes],
        }
        with sink_errors(json_path):
            json_path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    if plot_path:
        with sink_errors(plot_path):
            plot_path.write_bytes(draw_rows(results.rows))


def measure_all(wanted: Wanted) -> Results:
    """Each setting in a process of its own, one at a time."""
    with tempfile.TemporaryDirectory() as folder:
        clips = _clips(wanted, Path(folder))
        settings = [
            Setting(backend, model, precision, threads or default_threads(), str(clip), faces, wanted.frames)
            for clip, faces in clips
            for backend, model, precision, threads in itertools.product(
                wanted.backends, wanted.models, wanted.precisions, wanted.threads
            )
        ]
        results = Results([], [])
        with progress_bar("measuring", len(settings)) as advance:
            for setting in settings:
                rows, process = in_a_process(setting)
                results.rows.extend(rows)
                results.processes.append(process)
                advance()
    return results


def in_a_process(setting: Setting) -> tuple[list[Row], Process]:
    """What :func:`tracker.reports.bench.worker.measure` finds in a fresh process.

    Raises :class:`~tracker.errors.BenchError` with its error, or with its last words if it dies.
    """
    command = [
        sys.executable,
        "-m",
        "tracker.reports.bench.worker",
        json.dumps(asdict(setting)),
        repr(time.time()),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{setting.model} on {setting.backend} took more than an hour") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        last = done.stderr.strip().rpartition("\n")[2]
        raise BenchError(
            f"measuring {setting.model} on {setting.backend} ended with code {done.returncode}: {last}"
        ) from error
    if "error" in answer:
        raise BenchError(answer["error"])
    return [Row(**row) for row in answer["rows"]], Process(**answer["process"])


def _clips(wanted: Wanted, folder: Path) -> list[tuple[Path, int]]:
    """Each clip and how many faces are to be followed in it."""
    if wanted.video:
        return [(wanted.video.resolve(), faces) for faces in wanted.faces]
    clips = []
    for (width, height), faces in itertools.product(wanted.sizes, wanted.faces):
        path = folder / f"{width}x{height}_{faces}.mp4"
        try:
            write_clip(path, WARM_UP + wanted.frames, (width, height), faces)
        except ValueError as error:
            raise BenchError(str(error)) from error
        clips.append((path, faces))
    return clips


def _refuse_load(wanted: Wanted) -> None:
    busy = busy_share()
    if busy is not None and busy > BUSY and not wanted.under_load:
        raise BenchError(
            f"other programs use {busy:.0%} of this computer's cores: figures would be of them, too; stop "
            "them, or measure all the same with --under-load"
        )
