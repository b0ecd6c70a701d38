"""A batch: skip what is done, give out the rest, repeat what fails once, and say how it all went."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from tracker.errors import BatchError
from tracker.runs.batch.job import Outcome, finished, remove_drafts
from tracker.runs.batch.plan import Job
from tracker.runs.batch.pool import Lost, Workers
from tracker.system.files import sink_errors, write_whole
from tracker.system.terminal import printable
from tracker.tracking.opening import TrackerOptions

SUMMARY = "summary.csv"
"""The table of all jobs, in the output folder."""

MOST_ERRORS, MOST_LOSSES = 2, 4
"""Attempts that may fail, and workers that may die over a job, before it is given up: a worker's death is
more often the node's fault than the file's."""


@dataclass
class Report:
    """What came of all jobs; those in ``skipped`` were done before."""

    outcomes: dict[Job, Outcome] = field(default_factory=dict)
    skipped: set[Job] = field(default_factory=set)

    @property
    def failures(self) -> list[tuple[Job, str]]:
        """The jobs that failed to the end, and why."""
        return [(job, outcome.error) for job, outcome in self.outcomes.items() if outcome.error]


def run_batch(
    jobs: Sequence[Job],
    folder: Path,
    options: TrackerOptions,
    open_workers: Callable[[int], Workers],
    on_done: Callable[[Job, Outcome], None] = lambda *_: None,
    report: Report | None = None,
) -> Report:
    """Do all ``jobs`` that are not :func:`finished`, by the workers that ``open_workers`` opens for so many.

    The report lists them in the order of ``jobs``. A ``report`` that is given is filled as they are done, and
    holds those that were when an error or the user ends the batch.
    """
    report = report or Report()
    for job in jobs:
        outcome = finished(job, folder, options)
        if outcome:
            report.outcomes[job] = outcome
            report.skipped.add(job)
            on_done(job, outcome)
    left = [job for job in jobs if job not in report.outcomes]
    if left:
        remove_drafts(left, folder)
        workers = open_workers(len(left))
        try:
            for job, outcome in _do_all(left, workers):
                report.outcomes[job] = outcome
                on_done(job, outcome)
        finally:
            workers.close()
            remove_drafts(left, folder)
            report.outcomes = {job: report.outcomes[job] for job in jobs if job in report.outcomes}
    return report


def _do_all(jobs: Sequence[Job], workers: Workers) -> Iterator[tuple[Job, Outcome]]:
    """Each job once it is done or given up. What failed is tried again after all others."""
    waiting, errors, losses = list(reversed(jobs)), dict.fromkeys(jobs, 0), dict.fromkeys(jobs, 0)
    running = 0
    while waiting or running:
        for _ in range(min(workers.free, len(waiting))):
            workers.start(waiting.pop())
            running += 1
        for job, result in workers.wait():
            running -= 1
            counts, most = (losses, MOST_LOSSES) if isinstance(result, Lost) else (errors, MOST_ERRORS)
            if isinstance(result, Lost):
                result = Outcome(error=f"{job.source}: {result.why}")
            counts[job] += bool(result.error)
            if result.error and counts[job] < most:
                waiting.insert(0, job)
            else:
                yield job, result


@contextmanager
def batch_progress(jobs: Sequence[Job]) -> Iterator[Callable[[Job, Outcome], None]]:
    """A bar over the bytes of all inputs, with the time left, on stderr where that is a terminal.

    Yields what to call with each job that is done.
    """
    console = Console(stderr=True)
    columns = (
        *(TextColumn("{task.description}"), BarColumn()),
        *(DownloadColumn(), TimeRemainingColumn()),
    )
    done = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(f"0 of {len(jobs)}", total=sum(job.size for job in jobs))

        def advance(job: Job, outcome: Outcome) -> None:
            nonlocal done
            done += 1
            progress.update(task, description=f"{done} of {len(jobs)}", advance=job.size)
            if outcome.error:
                line = f"failed: {printable(outcome.error)}"
                progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield advance


def write_summary(report: Report, folder: Path) -> None:
    """One row a job in ``summary.csv`` of ``folder``. Raises :class:`SinkError` if it cannot be written."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(("source", "results", "status", "frames", "faces", "seconds", "error"))
    for job, outcome in report.outcomes.items():
        status = _status(job, outcome, report)
        counts = (outcome.frames, outcome.faces, outcome.seconds)
        rows.writerow((job.source, job.name, status, *counts, outcome.error or ""))
    with sink_errors(folder / SUMMARY):
        write_whole(folder / SUMMARY, text.getvalue().encode("utf-8", "backslashreplace"))


def summary_table(report: Report) -> Table:
    """How many files ended how, with their frames, faces and time."""
    table = Table()
    for header in ("", "files", "frames", "faces", "seconds of work"):
        table.add_column(header, justify="right" if header else "left")
    by_status: Mapping[str, list[Outcome]] = {"done": [], "done before": [], "failed": []}
    for job, outcome in report.outcomes.items():
        by_status[_status(job, outcome, report)].append(outcome)
    for status, outcomes in by_status.items():
        frames, faces = sum(o.frames for o in outcomes), sum(o.faces for o in outcomes)
        table.add_row(
            status, str(len(outcomes)), str(frames), str(faces), f"{sum(o.seconds for o in outcomes):.1f}"
        )
    return table


def raise_failures(report: Report, folder: Path) -> None:
    """Raise :class:`BatchError` if any job failed."""
    failures = report.failures
    if failures:
        raise BatchError(
            f"{len(failures)} of {len(report.outcomes)} failed, as {folder / SUMMARY} lists; "
            f"the first: {failures[0][1]}"
        )


def _status(job: Job, outcome: Outcome, report: Report) -> str:
    if outcome.error:
        return "failed"
    return "done before" if job in report.skipped else "done"
