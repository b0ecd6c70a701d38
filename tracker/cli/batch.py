"""The command ``tracker batch``. What is slow to import is imported where it is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tracker.cli.exit_codes import interruptible
from tracker.cli.options import Backend, Detector, MaxFaces, Model, Smoothing


def batch(
    inputs: Annotated[list[Path], typer.Argument(metavar="INPUTS...", help="Videos, and folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder for the results.")],
    jobs: Annotated[int, typer.Option(min=0, max=1024, help="Processes; 0: one per core.")] = 0,
    ray: Annotated[
        str | None,
        typer.Option(metavar="auto|ADDRESS", help="Work on this Ray cluster instead (extra: cluster)."),
    ] = None,
    threads: Annotated[
        int, typer.Option(min=0, max=256, help="CPU threads of each process; 0: the cores divided.")
    ] = 0,
    model: Model = "resnet18",
    backend: Backend = "auto",
    detector: Detector = "blazeface",
    max_faces: MaxFaces = 8,
    smoothing: Smoothing = "low",
) -> None:
    """Track many videos and folders of images; what is done is skipped, so an interrupted batch goes on.

    Folders are searched with all below them, links to other folders left out. Each video and each folder's
    images get a file of JSON lines in the output folder, and `summary.csv` lists all. What fails is tried
    once more, and again when the batch is. The nodes of a cluster must see inputs and outputs under the same
    paths.
    """
    from dataclasses import replace

    from rich.console import Console

    from tracker.runs.batch.cluster import RayWorkers
    from tracker.runs.batch.job import keep_apart
    from tracker.runs.batch.plan import plan_jobs
    from tracker.runs.batch.pool import Pool, Workers
    from tracker.runs.batch.run import (
        Report,
        batch_progress,
        raise_failures,
        run_batch,
        summary_table,
        write_summary,
    )
    from tracker.system.files import Lock, sink_errors
    from tracker.system.machine import usable_cores
    from tracker.tracking.opening import TrackerOptions

    if ray is not None and jobs:
        raise typer.BadParameter("--jobs is for this computer; a cluster has its own cores: leave it out")
    if ray == "":
        raise typer.BadParameter("--ray needs auto or an address")
    with interruptible():
        options = TrackerOptions(model, backend, detector, threads, max_faces, smoothing)
        options.identity()  # an unknown model is refused before anything is opened
        planned = plan_jobs(inputs)
        folder = output.absolute()
        with sink_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)

        def open_workers(count: int) -> Workers:
            if ray is not None:
                return RayWorkers(ray, folder, replace(options, threads=threads or 1))
            replace(options, threads=1).open().close()  # what does not open here would fail with every file
            processes = min(jobs or usable_cores(), count)
            each = threads or max(usable_cores() // processes, 1)
            return Pool(processes, folder, replace(options, threads=each))

        report = Report()
        with Lock(folder):
            planned = keep_apart(planned, folder)
            try:
                with batch_progress(planned) as on_done:
                    run_batch(planned, folder, options, open_workers, on_done, report)
            finally:
                if report.outcomes:
                    write_summary(report, folder)
        Console().print(summary_table(report))
        raise_failures(report, folder)
