"""Scheduling of a batch: skip jobs that are done, distribute the others, repeat failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

from tracker.runs.batch.job import remove_drafts_of
from tracker.runs.batch.plan import Job
from tracker.runs.batch.pool import Lost, Workers
from tracker.runs.batch.records import Outcome, finished
from tracker.runs.batch.report import Report
from tracker.system.signals import raise_swallowed
from tracker.tracking.opening import TrackerOptions

MAX_ERRORS = 2
"""Attempts at a job that may end with an error before it counts as failed."""

MAX_LOSSES = 4
"""Workers that may die over a job before it counts as failed: more often the node's fault than the file's."""


def run_batch(
    jobs: Sequence[Job],
    folder: Path,
    options: TrackerOptions,
    open_workers: Callable[[int], Workers],
    on_done: Callable[[Job, Outcome], None] = lambda *_: None,
    report: Report | None = None,
) -> Report:
    """Do all ``jobs`` that are not done, with the workers that ``open_workers`` opens for so many jobs.

    Returns a report in the order of ``jobs``. A ``report`` that is passed in is filled job by job, so it is
    there when an exception ends the batch.
    """
    report = report or Report()
    for job in jobs:
        if outcome := finished(job, folder, options):
            report.outcomes[job] = outcome
            report.skipped.add(job)
            on_done(job, outcome)
    remaining = [job for job in jobs if job not in report.outcomes]
    if remaining:
        remove_drafts_of(remaining, folder)
        try:
            with closing(open_workers(len(remaining))) as workers:
                for job, outcome in _do_all(remaining, workers):
                    report.outcomes[job] = outcome
                    on_done(job, outcome)
        finally:
            remove_drafts_of(remaining, folder)
            report.outcomes = {job: report.outcomes[job] for job in jobs if job in report.outcomes}
    return report


def _do_all(jobs: Sequence[Job], workers: Workers) -> Iterator[tuple[Job, Outcome]]:
    """Yield each job once it is done or has failed. An attempt is repeated after all other jobs."""
    waiting, errors, losses = list(reversed(jobs)), dict.fromkeys(jobs, 0), dict.fromkeys(jobs, 0)
    running = 0
    while waiting or running:
        raise_swallowed()
        for _ in range(min(workers.free, len(waiting))):
            workers.start(waiting.pop())
            running += 1
        for job, result in workers.wait():
            running -= 1
            counts, most = (losses, MAX_LOSSES) if isinstance(result, Lost) else (errors, MAX_ERRORS)
            if isinstance(result, Lost):
                result = Outcome(error=f"{job.source}: {result.why}")
            counts[job] += bool(result.error)
            if result.error and counts[job] < most:
                waiting.insert(0, job)
            else:
                yield job, result
