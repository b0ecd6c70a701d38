"""One job of a batch: results appear complete or not at all."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from subprocess import run

import cv2
import pytest

from tests.batches import LIGHT, LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import run_cli
from tests.own_models import OFFSETS, spot, write_spot_model
from tracker.runs.batch.drafts import draft_of
from tracker.runs.batch.job import do_job, remove_drafts_of
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.batch.records import record_path
from tracker.runs.observer import ItemObserver
from tracker.tracking.opening import TrackerOptions


def files_below(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_results_are_those_of_a_run_over_the_video_alone(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(12)
    (job,) = plan_jobs([video])
    outcome = do_job(job, tmp_path / "out", LIGHT)
    assert (outcome.frames, outcome.faces, outcome.error) == (12, 12, None)
    alone = run_cli("--video", video, "--no-window", "--json", tmp_path / "a.jsonl", *LIGHT_ARGUMENTS)
    assert alone.exit_code == 0, alone.stderr
    assert (tmp_path / "out" / job.name).read_bytes() == (tmp_path / "a.jsonl").read_bytes()


def test_a_full_disk_leaves_old_results(
    tmp_path: Path, clips: Clips, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = plan_jobs([clips.faces(3)])
    (tmp_path / job.name).write_text("old\n")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in str(do_job(job, tmp_path, LIGHT).error)
    assert files_below(tmp_path) == {job.name}
    assert (tmp_path / job.name).read_text() == "old\n"


def test_a_job_that_fails_or_is_ended_leaves_no_files(tmp_path: Path, clips: Clips) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    (bad,), (good,) = plan_jobs([tmp_path / "bad.mp4"]), plan_jobs([clips.faces(3)])
    assert "bad.mp4" in str(do_job(bad, tmp_path / "out", LIGHT).error)

    def end() -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        do_job(good, tmp_path / "out", LIGHT, ItemObserver(end))
    assert files_below(tmp_path / "out") == set()


def test_only_drafts_of_the_given_jobs_are_removed(tmp_path: Path, clips: Clips) -> None:
    (job,) = plan_jobs([clips.faces(3)])
    record = record_path(job, tmp_path)
    drafts = [draft_of(tmp_path / job.name), draft_of(record)]
    others = [draft_of(tmp_path / "other.jsonl"), tmp_path / job.name, record]
    record.parent.mkdir(parents=True)
    for path in (*drafts, *others):
        path.write_text("")
    remove_drafts_of([job], tmp_path)
    assert files_below(tmp_path) == {path.name for path in others}


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_job_killed_at_any_rename_leaves_nothing_that_the_next_run_keeps(
    tmp_path: Path, clips: Clips
) -> None:
    """The process dies at its first, then at its second rename: that of the results, that of the record."""
    video, out = clips.faces(3), tmp_path / "out"
    for renames in (0, 1):
        killed = run([sys.executable, "-c", KILLED, str(video), str(out), str(renames)], check=False)
        assert killed.returncode == -signal.SIGKILL
        assert any(name.endswith(".part") for name in files_below(out))
        remove_drafts_of(plan_jobs([video]), out)
        assert not any(name.endswith(".part") for name in files_below(out))


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.batches import LIGHT
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import plan_jobs

left = int(sys.argv[3])
replace = Path.replace

def dying(path, target):
    global left
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1
    return replace(path, target)

Path.replace = dying
(job,) = plan_jobs([Path(sys.argv[1])])
do_job(job, Path(sys.argv[2]), LIGHT)
"""


def test_an_unforeseen_error_is_that_of_its_job_in_one_line(tmp_path: Path, clips: Clips) -> None:
    bad, good = plan_jobs([clips.faces(3), clips.faces(4)])

    def fail() -> None:
        raise ValueError("31 is not\na valid Type")

    outcome = do_job(bad, tmp_path, LIGHT, ItemObserver(fail))
    assert outcome.error is not None
    assert "\n" not in outcome.error
    assert outcome.error.startswith(f"{bad.source}: ")
    assert "ValueError: 31 is not\\na valid Type, test_job.py:" in outcome.error
    assert files_below(tmp_path) == set()
    assert do_job(good, tmp_path, LIGHT).error is None


def test_a_model_that_is_replaced_during_the_batch_fails_the_job(tmp_path: Path) -> None:
    """Results are never recorded under the hash of a model that did not make them."""
    model = write_spot_model(tmp_path / "spot.onnx")
    (tmp_path / "in").mkdir()
    assert cv2.imwrite(str(tmp_path / "in" / "a.png"), spot((160, 120)))
    options = TrackerOptions(str(model), "cpu", "none", threads=1)
    (only,) = plan_jobs([tmp_path / "in"])
    assert do_job(only, tmp_path / "out", options).error is None
    write_spot_model(model, offsets=OFFSETS * 0.9)
    error = do_job(only, tmp_path / "out", options).error
    assert error == f"model {model} was replaced during the batch: start the batch again"
