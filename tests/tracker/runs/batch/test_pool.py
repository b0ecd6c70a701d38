"""Worker processes: none outlives its parent, and the job of one that dies is repeated."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from tests.batches import LIGHT
from tests.cache import Clips
from tests.cli import run_process
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import Job, plan_jobs
from tracker.runs.batch.pool import Pool
from tracker.runs.batch.run import run_batch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")

PARENT_THAT_DIES = """
import os, signal, sys
from pathlib import Path
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.batch.pool import Pool
from tracker.tracking.opening import TrackerOptions

pool = Pool(1, Path(sys.argv[2]), TrackerOptions("unet-light", "cpu", threads=1))
pool.start(plan_jobs([Path(sys.argv[1])])[0])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_worker_ends_when_its_parent_died_before_the_job_began(tmp_path: Path, clips: Clips) -> None:
    command = [sys.executable, "-c", PARENT_THAT_DIES, str(clips.faces(30)), str(tmp_path / "out")]
    dead = run_process(command)  # waits for the worker too: it shares standard output
    assert dead.exit_code == -signal.SIGKILL
    assert list((tmp_path / "out").iterdir()) == []


def test_the_job_of_a_killed_worker_is_repeated(tmp_path: Path, clips: Clips) -> None:
    jobs = plan_jobs([clips.faces(count) for count in (6, 7, 8, 9)])
    killed: list[int] = []

    class Doomed(Pool):
        """Pool whose first worker is killed as soon as it has a job."""

        def start(self, job: Job) -> None:
            super().start(job)
            if not killed:
                killed.append(self.process_ids[0])
                os.kill(killed[0], signal.SIGKILL)

    def open_workers(count: int) -> Pool:
        assert count == len(jobs)
        return Doomed(2, tmp_path / "out", LIGHT)

    report = run_batch(jobs, tmp_path / "out", LIGHT, open_workers)
    assert killed
    assert not report.failures
    assert [outcome.frames for outcome in report.outcomes.values()] == [6, 7, 8, 9]
    for job in jobs:
        do_job(job, tmp_path / "again", LIGHT)
        assert (tmp_path / "again" / job.name).read_bytes() == (tmp_path / "out" / job.name).read_bytes()
