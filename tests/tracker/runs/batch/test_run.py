"""Scheduling of a batch, with fake workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.batches import LIGHT, FakeWorkers, planned_jobs
from tests.cache import Clips
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import Job, plan_jobs
from tracker.runs.batch.pool import Lost, Workers
from tracker.runs.batch.records import Outcome
from tracker.runs.batch.report import Report
from tracker.runs.batch.run import MAX_ERRORS, MAX_LOSSES, run_batch

NOWHERE = Path("/nowhere")
RESULTS: dict[str, Outcome | Lost] = {
    "done": Outcome(1, 1),
    "error": Outcome(error="bad"),
    "lost": Lost("killed"),
}


def attempts_at(fates: list[str]) -> int:
    """Return the attempts at a job with these ``fates``, of which the last repeats."""
    endless = [*fates, *[fates[-1]] * 9]
    for attempts in range(1, 20):
        tried = endless[:attempts]
        if tried[-1] == "done" or tried.count("error") == MAX_ERRORS or tried.count("lost") == MAX_LOSSES:
            return attempts
    raise AssertionError


@given(
    fates=st.lists(st.lists(st.sampled_from(sorted(RESULTS)), min_size=1, max_size=7), max_size=5),
    at_once=st.integers(1, 3),
)
def test_each_job_is_attempted_until_it_is_done_or_has_failed_too_often(
    fates: list[list[str]], at_once: int
) -> None:
    jobs = planned_jobs(len(fates))
    by_job = {job: [RESULTS[fate] for fate in fate_of] for job, fate_of in zip(jobs, fates, strict=True)}
    workers = FakeWorkers(by_job=by_job, at_once=at_once)
    report = run_batch(jobs, NOWHERE, LIGHT, lambda _: workers)
    assert list(report.outcomes) == jobs
    assert workers.closed == bool(jobs)
    for job, fate_of in zip(jobs, fates, strict=True):
        attempts = attempts_at(fate_of)
        assert workers.started.count(job) == attempts
        last = fate_of[min(attempts, len(fate_of)) - 1]
        assert (report.outcomes[job].error is None) == (last == "done")


def test_a_failed_job_is_repeated_after_all_others() -> None:
    workers = FakeWorkers(Outcome(error="bad"), Outcome(2, 1), at_once=1)
    report = run_batch(planned_jobs(3), NOWHERE, LIGHT, lambda _: workers)
    assert workers.started == [*planned_jobs(3), *planned_jobs(3)]
    assert not report.failures


def test_no_workers_are_opened_when_every_job_is_done(tmp_path: Path, clips: Clips) -> None:
    (job,) = plan_jobs([clips.faces(2)])
    do_job(job, tmp_path, LIGHT)

    def never(_: int) -> Workers:
        raise AssertionError

    assert run_batch([job], tmp_path, LIGHT, never).skipped == {job}


def test_an_interrupted_batch_closes_its_workers_and_keeps_the_report() -> None:
    class Interrupted(FakeWorkers):
        def wait(self) -> list[tuple[Job, Outcome | Lost]]:
            if len(self.started) > 2:
                raise KeyboardInterrupt
            return super().wait()

    workers, report = Interrupted(Outcome(1, 1), at_once=1), Report()
    with pytest.raises(KeyboardInterrupt):
        run_batch(planned_jobs(4), NOWHERE, LIGHT, lambda _: workers, report=report)
    assert list(report.outcomes) == planned_jobs(2)
    assert workers.closed == 1
