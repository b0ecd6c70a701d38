"""One job of a batch: results appear complete or not at all."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tests.batches import LIGHT, LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import run_cli
from tracker.runs.batch.job import do_job, remove_drafts
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.observer import ItemObserver


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
    draft, other = f".{job.name}.0123abcd.part", ".other.jsonl.0123abcd.part"
    for name in (draft, other, job.name):
        (tmp_path / name).write_text("")
    remove_drafts([job], tmp_path)
    assert files_below(tmp_path) == {other, job.name}
