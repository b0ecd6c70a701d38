"""Plan of a batch: its jobs, and unique names of their results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tracker.errors import SourceError
from tracker.runs.batch.plan import Job, plan_jobs


def test_results_are_named_after_the_paths_of_the_inputs(tmp_path: Path) -> None:
    for name in ("a/clip.mp4", "a/deep/clip.mp4", "a/deep/1.jpg", "a/deep/2.jpg", "b.mp4", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"123")
    planned = plan_jobs([tmp_path / "a", tmp_path / "b.mp4", tmp_path / "a" / "clip.mp4"])  # twice
    assert {(job.name, job.kind, job.size) for job in planned} == {
        ("a/clip.mp4.jsonl", "video", 3),
        ("a/deep/clip.mp4.jsonl", "video", 3),
        ("a/deep.jsonl", "images", 6),
        ("b.mp4.jsonl", "video", 3),
    }


def test_equal_names_get_a_hash_that_does_not_depend_on_other_jobs(tmp_path: Path) -> None:
    paths = [tmp_path / folder / name for folder, name in (("x", "a.mp4"), ("y", "a.mp4"), ("z", "A.MP4"))]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"")
    names = [job.name for job in plan_jobs(paths)]
    assert len({name.casefold() for name in names}) == 3
    assert names[:2] == [job.name for job in plan_jobs(paths[:2])]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_pipes_in_folders_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").symlink_to("nowhere")
    assert [Path(job.source).name for job in plan_jobs([tmp_path])] == ["b.mp4"]


@pytest.mark.parametrize("is_there", [False, True])
def test_an_input_without_videos_or_images_is_an_error(tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "in").mkdir()
    with pytest.raises(SourceError, match="in"):
        plan_jobs([tmp_path / "in"])


@pytest.mark.parametrize("name", ["../a.jsonl", "/a.jsonl", "", "b/../../a.jsonl"])
def test_a_name_outside_of_the_output_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="below the output"):
        Job("/in/a.mp4", "video", name, 0)


@pytest.mark.parametrize("given", [".", "..", "../d", "../../c/d/x.mp4"])
def test_dots_in_an_input_are_resolved(given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c" / "d").mkdir(parents=True)
    (tmp_path / "c" / "d" / "x.mp4").write_bytes(b"")
    monkeypatch.chdir(tmp_path / "c" / "d")
    (job,) = plan_jobs([Path(given)])
    assert ".." not in Path(job.name).parts


def test_an_unreadable_folder_becomes_a_job_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in" / "secret").mkdir(parents=True)
    (tmp_path / "in" / "a.mp4").write_bytes(b"")
    scandir = os.scandir

    def scanned(path: str) -> Any:
        if Path(path).name == "secret":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scanned)
    jobs = plan_jobs([tmp_path / "in"])
    assert [(job.name, job.kind) for job in jobs] == [
        ("in/a.mp4.jsonl", "video"),
        ("in/secret.jsonl", "images"),
    ]
