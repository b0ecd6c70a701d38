"""Plan of a batch: its jobs, and unique names of their results."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tracker.errors import SourceError
from tracker.runs.batch.drafts import draft_of
from tracker.runs.batch.plan import Job, plan_jobs
from tracker.runs.batch.records import record_path


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
def test_pipes_and_broken_links_in_folders_are_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").symlink_to("nowhere")
    (tmp_path / "c.mp4").touch()
    assert [Path(job.source).name for job in plan_jobs([tmp_path])] == ["c.mp4"]


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


@pytest.mark.parametrize("stem", ["a" * 240, "ü" * 120, "a" * 251])
def test_results_of_long_names_fit_into_a_file_system(tmp_path: Path, stem: str) -> None:
    for name in (f"{stem}.mp4", f"{stem[:-1]}b.mp4"):
        (tmp_path / name).write_bytes(b"")
    jobs = plan_jobs([tmp_path])
    assert len({job.name for job in jobs}) == 2
    for job in jobs:
        written = (tmp_path / "out" / job.name, record_path(job, tmp_path / "out"))
        assert all(len(os.fsencode(draft_of(path).name)) <= 255 for path in written)
    assert jobs == plan_jobs([tmp_path])


def test_results_of_a_film_and_of_a_folder_of_that_name_do_not_collide(tmp_path: Path) -> None:
    """``x.mp4.jsonl`` cannot be both a file of results and a folder of them."""
    folder = tmp_path / "in" / "x.mp4.jsonl"
    folder.mkdir(parents=True)
    for path in (folder / "y.mp4", folder.with_name("x.mp4")):
        path.write_bytes(b"")
    names = {Path(job.source).name: job.name for job in plan_jobs([tmp_path / "in"])}
    assert names["y.mp4"] == "in/x.mp4.jsonl/y.mp4.jsonl"
    assert names["x.mp4"].startswith("in/x.mp4-")
