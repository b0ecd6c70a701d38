"""Jobs, options and workers for tests of batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tracker.runs.batch.plan import Job
from tracker.runs.batch.pool import Lost
from tracker.runs.batch.records import Outcome
from tracker.tracking.opening import TrackerOptions

LIGHT = TrackerOptions("unet-light", "cpu", threads=1)
"""Options of the lightest tracker."""

LIGHT_ARGUMENTS = ("--model", "unet-light", "--backend", "cpu", "--threads", "1")
"""The same on the command line."""


def planned_jobs(count: int) -> list[Job]:
    """Return jobs over videos that do not exist."""
    return [Job(f"/in/{i}.mp4", "video", f"{i}.mp4.jsonl", 10) for i in range(count)]


class FakeWorkers:
    """Workers that do nothing: the n-th attempt at a job has the n-th of its results, or the last.

    ``by_job`` holds results of single jobs, ``results`` those of all others.
    """

    def __init__(
        self,
        *results: Outcome | Lost,
        by_job: Mapping[Job, Sequence[Outcome | Lost]] | None = None,
        at_once: int = 2,
    ) -> None:
        self.started: list[Job] = []
        self.closed = 0
        self._results = results
        self._by_job = by_job or {}
        self._at_once = at_once
        self._running: list[Job] = []

    @property
    def free(self) -> int:
        return self._at_once - len(self._running)

    def start(self, job: Job) -> None:
        self.started.append(job)
        self._running.append(job)

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        job = self._running.pop(0)
        results = self._by_job.get(job, self._results)
        return [(job, results[min(self.started.count(job), len(results)) - 1])]

    def close(self) -> None:
        self.closed += 1
