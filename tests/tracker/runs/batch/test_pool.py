"""Worker processes do not outlive who gives out their jobs."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import pytest

from tests.cli import run_process
from tests.media import face_video

DIES_AT_ONCE = """
import os, signal, sys
from pathlib import Path
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.batch.pool import Pool
from tracker.tracking.opening import TrackerOptions

pool = Pool(1, Path(sys.argv[2]), TrackerOptions("unet-light", "cpu", threads=1))
pool.start(plan_jobs([Path(sys.argv[1])])[0])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_worker_ends_when_who_gave_it_a_job_died_before_it_began(tmp_path: Path) -> None:
    video = face_video(tmp_path / "a.mp4", 30)
    command = [sys.executable, "-c", DIES_AT_ONCE, str(video), str(tmp_path / "out")]
    # The worker has the same standard output, so this waits for both.
    dead = run_process(command)
    assert dead.exit_code == -signal.SIGKILL
    assert list((tmp_path / "out").iterdir()) == []
