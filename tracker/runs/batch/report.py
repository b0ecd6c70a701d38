"""Report of a batch: outcomes of its jobs, as a table and as ``summary.csv``."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rich.table import Table

from tracker.errors import BatchError, SinkError
from tracker.runs.batch.plan import Job
from tracker.runs.batch.records import Outcome
from tracker.sinks.text import Cell, safe_cell
from tracker.system.files import guarded_write, write_whole

SUMMARY = "summary.csv"
"""Table of all jobs, in the output folder."""

_FIRST_COLUMNS = ("source", "results", "status")


@dataclass
class Report:
    """Outcomes of jobs; those in ``skipped`` were done by an earlier batch."""

    outcomes: dict[Job, Outcome] = field(default_factory=dict)
    skipped: set[Job] = field(default_factory=set)

    @property
    def failures(self) -> list[tuple[Job, str]]:
        """Jobs that failed at every attempt, each with its last error."""
        return [(job, outcome.error) for job, outcome in self.outcomes.items() if outcome.error]

    def status(self, job: Job) -> str:
        """Return ``done``, ``done before`` or ``failed``."""
        if self.outcomes[job].error:
            return "failed"
        return "done before" if job in self.skipped else "done"


def write_summary(report: Report, folder: Path) -> None:
    """Write ``summary.csv`` into ``folder``, a row for each job.

    Raises :class:`~tracker.errors.SinkError` if it cannot be written.
    """
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow((*_FIRST_COLUMNS, "frames", "faces", "left_out", "seconds", "error"))
    for job, outcome in report.outcomes.items():
        counts = (outcome.frames, outcome.faces, outcome.left_out, outcome.seconds)
        cells: tuple[Cell, ...] = (job.source, job.name, report.status(job), *counts, outcome.error or "")
        rows.writerow(map(safe_cell, cells))
    with guarded_write(folder / SUMMARY):
        write_whole(folder / SUMMARY, text.getvalue().encode("utf-8", "backslashreplace"))


def check_summary(folder: Path) -> None:
    """Raise :class:`~tracker.errors.SinkError` if ``summary.csv`` in ``folder`` is of something else."""
    path = folder / SUMMARY
    with guarded_write(path):
        if not path.exists():
            return
        if path.is_file():
            with path.open("rb") as file:
                head = file.readline(1024)
            if not head or head.startswith((",".join(_FIRST_COLUMNS) + ",").encode()):
                return
    raise SinkError(f"cannot write {path}: it is no summary of a batch; give --output another folder")


def summary_table(report: Report) -> Table:
    """Return a table of the number of files of each status, with their frames, faces and seconds."""
    table = Table()
    for header in ("", "files", "frames", "faces", "seconds of work"):
        table.add_column(header, justify="right" if header else "left")
    by_status: Mapping[str, list[Outcome]] = {"done": [], "done before": [], "failed": []}
    for job, outcome in report.outcomes.items():
        by_status[report.status(job)].append(outcome)
    for status, outcomes in by_status.items():
        frames, faces = sum(o.frames for o in outcomes), sum(o.faces for o in outcomes)
        seconds = sum(o.seconds for o in outcomes)
        table.add_row(status, str(len(outcomes)), str(frames), str(faces), f"{seconds:.1f}")
    return table


def left_out_faces(report: Report, limit: int) -> str:
    """Return a line about the faces beyond ``limit`` that the results lack, empty if there are none."""
    counts = [outcome.left_out for outcome in report.outcomes.values() if outcome.left_out]
    if not counts:
        return ""
    where = f"{sum(counts)} frames or images of {len(counts)} jobs, as {SUMMARY} lists"
    return f"at most {limit} faces are kept, and more were seen in {where}; give a larger --max-faces"


def raise_failures(report: Report, folder: Path) -> None:
    """Raise :class:`~tracker.errors.BatchError` if any job failed."""
    failures = report.failures
    if failures:
        raise BatchError(
            f"{len(failures)} of {len(report.outcomes)} failed, as {folder / SUMMARY} lists; "
            f"the first: {failures[0][1]}"
        )
