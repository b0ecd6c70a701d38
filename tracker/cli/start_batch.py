"""Start of a batch: plan the jobs, open workers, report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from tracker.cli.messages import say
from tracker.runs.batch.cluster import RayWorkers
from tracker.runs.batch.plan import Job, plan_batch
from tracker.runs.batch.pool import Pool, Workers
from tracker.runs.batch.progress import batch_progress
from tracker.runs.batch.records import keep_apart
from tracker.runs.batch.report import (
    Report,
    check_summary,
    left_out_faces,
    raise_failures,
    summary_table,
    write_summary,
)
from tracker.runs.batch.run import run_batch
from tracker.sources.left_out import left_out_text
from tracker.system.files import Lock, make_folder
from tracker.system.libraries import conflicts
from tracker.system.machine import usable_cores
from tracker.tracking.opening import TrackerOptions


@dataclass(frozen=True)
class BatchCommand:
    """Options of a batch.

    ``processes`` 0 is one per core; ``ray`` is the address of a cluster to use instead. A ``quiet`` batch has
    no progress bar.
    """

    inputs: tuple[Path, ...]
    folder: Path
    tracker: TrackerOptions
    processes: int = 0
    ray: str | None = None
    quiet: bool = False

    def open_workers(self, jobs: int) -> Workers:
        """Open workers for so many jobs."""
        if self.ray is not None:
            threads = self.tracker.threads or 1
            return RayWorkers(self.ray, self.folder, replace(self.tracker, threads=threads))
        replace(self.tracker, threads=1).open().close()  # an error here would be that of every job
        processes = min(self.processes or usable_cores(), jobs)
        threads = self.tracker.threads or max(usable_cores() // processes, 1)
        return Pool(processes, self.folder, replace(self.tracker, threads=threads))


def start_batch(command: BatchCommand) -> None:
    """Do all jobs of a batch and print a summary.

    Raises :class:`~tracker.errors.BatchError` if one failed.
    """
    command.tracker.identity()  # refuses an unknown model before anything is opened
    plan = plan_batch(command.inputs)
    folder = command.folder
    make_folder(folder, "--output a folder", parents=True)
    check_summary(folder)
    for line in conflicts(harmless=False):
        say(line)
    if plan.left_out:
        say(left_out_text(plan.left_out))
    with Lock(folder):
        report = _run(command, keep_apart(plan.jobs, folder))
    Console().print(summary_table(report))
    if line := left_out_faces(report, command.tracker.max_faces):
        say(line)
    raise_failures(report, folder)


def _run(command: BatchCommand, jobs: Sequence[Job]) -> Report:
    """Do ``jobs``; the summary is written even if an exception ends the batch."""
    report = Report()
    try:
        with batch_progress(jobs, not command.quiet) as on_done:
            run_batch(jobs, command.folder, command.tracker, command.open_workers, on_done, report)
    finally:
        if report.outcomes:
            write_summary(report, command.folder)
    return report
