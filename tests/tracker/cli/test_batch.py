"""The command ``tracker batch``: results, messages, and what is left when it is ended."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.batches import LIGHT, LIGHT_ARGUMENTS
from tests.cli import assert_one_line_error, run_cli, start_cli, wait_until
from tests.faces import astronaut
from tests.media import face_video
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import plan_jobs
from tracker.runs.batch.report import SUMMARY
from tracker.system.files import Lock


def statuses(folder: Path) -> dict[str, str]:
    with (folder / SUMMARY).open(encoding="utf-8", newline="") as file:
        return {Path(row["source"]).name: row["status"] for row in csv.DictReader(file)}


def test_faces_beyond_the_limit_are_told_of_at_the_end(tmp_path: Path) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    cv2.imwrite(str(inputs / "one.png"), astronaut())
    for name in ("two.png", "three.png"):
        cv2.imwrite(str(inputs / name), np.hstack([astronaut(), astronaut()]))
    line = (
        "tracker: at most 1 faces are kept, and more were seen in 2 frames or images of 1 jobs, "
        "as summary.csv lists; give a larger --max-faces"
    )
    arguments = ("batch", inputs, "--output", out, "--jobs", "1", *LIGHT_ARGUMENTS)
    for expected in ("done", "done before"):  # a record keeps the count
        done = run_cli(*arguments, "--max-faces", "1")
        assert (done.exit_code, done.stderr.splitlines()) == (0, [line])
        with (out / SUMMARY).open(encoding="utf-8", newline="") as file:
            (row,) = csv.DictReader(file)
        assert (row["status"], row["frames"], row["faces"], row["left_out"]) == (expected, "3", "3", "2")
    done = run_cli(*arguments, "--max-faces", "2")  # the remedy
    assert (done.exit_code, done.stderr) == (0, "")


def test_all_jobs_are_done_and_failures_are_reported(tmp_path: Path) -> None:
    inputs = tmp_path / "in"
    (inputs / "stills").mkdir(parents=True)
    face_video(inputs / "a.mp4", 5)
    whole = face_video(tmp_path / "whole.mkv", 40).read_bytes()
    (inputs / "cut.mkv").write_bytes(b"")
    (inputs / "short.mkv").write_bytes(whole[: len(whole) // 2])
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(inputs / "stills" / name), astronaut())
    done = run_cli("batch", inputs, "--output", tmp_path / "out", "--jobs", "2", *LIGHT_ARGUMENTS)
    assert done.exit_code == 1
    first, second, last = done.stderr.splitlines()
    assert {Path(line.split()[1]).name for line in (first, second)} == {"cut.mkv", "short.mkv"}
    assert last.startswith("tracker: 2 of 4 failed, as ")
    assert SUMMARY in last
    expected = {"a.mp4": "done", "cut.mkv": "failed", "short.mkv": "failed", "stills": "done"}
    assert statuses(tmp_path / "out") == expected
    lines = [json.loads(line) for line in (tmp_path / "out/in/stills.jsonl").read_text().splitlines()]
    assert [(line["source"], len(line["faces"])) for line in lines] == [("1.png", 1), ("2.png", 1)]
    rest = (tmp_path / "out/in/short.mkv.jsonl").read_text().splitlines()
    assert 10 < len(rest) < 40  # the good frames of a damaged file
    before = (tmp_path / "out/in/a.mp4.jsonl").stat().st_mtime_ns
    (inputs / "cut.mkv").unlink()
    (inputs / "short.mkv").unlink()
    again = run_cli("batch", inputs, "--output", tmp_path / "out", *LIGHT_ARGUMENTS)
    assert (again.exit_code, again.stderr) == (0, "")
    assert statuses(tmp_path / "out") == {"a.mp4": "done before", "stills": "done before"}
    assert (tmp_path / "out/in/a.mp4.jsonl").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.mp4", "--output", "out"), ("nothing.mp4 does not exist",)),
        ((".", "--output", "out", "--model", "no-such"), ("no-such",)),
        ((".", "--output", "file"), ("file",)),
    ],
)
def test_a_user_error_is_one_line(tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    face_video(tmp_path / "a.mp4", 2)
    (tmp_path / "file").write_text("")
    assert_one_line_error(run_cli("batch", *arguments, cwd=tmp_path), *words)


@pytest.mark.parametrize("arguments", [("--jobs", "2", "--ray", "auto"), ("--ray", ""), ("--jobs", "-1")])
def test_wrong_usage_is_refused(tmp_path: Path, arguments: Iterable[str]) -> None:
    done = run_cli("batch", tmp_path, "--output", tmp_path / "out", *arguments)
    assert done.exit_code == 2, done.stderr


def test_a_missing_ray_is_named(tmp_path: Path) -> None:
    face_video(tmp_path / "a.mp4", 2)
    done = run_cli("batch", tmp_path, "--output", tmp_path / "out", "--ray", "auto", without=["ray"])
    assert_one_line_error(done, "--ray needs Ray", "tracker68[cluster]")


def test_a_backend_that_does_not_open_is_reported_once(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        face_video(tmp_path / name, 2)
    arguments = ("--output", tmp_path / "out", "--backend", "openvino")
    done = run_cli("batch", tmp_path, *arguments, without=["openvino"])
    assert_one_line_error(done, "openvino")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(
    ("kind", "code", "processes", "results"), [(signal.SIGKILL, -9, 2, 1), (signal.SIGINT, 130, 1, 2)]
)
def test_a_batch_that_was_ended_goes_on_and_leaves_no_drafts(
    tmp_path: Path, kind: signal.Signals, code: int, processes: int, results: int
) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    for index in range(4):
        face_video(inputs / f"{index}.mp4", 60)
    with start_cli("batch", inputs, "--output", out, *LIGHT_ARGUMENTS, "--jobs", processes) as process:
        wait_until(lambda: len(list(out.rglob("*.mp4.jsonl"))) >= results, process)
        process.send_signal(kind)
        assert process.wait(60) == code
    if kind == signal.SIGINT:
        assert set(statuses(out).values()) == {"done"}  # the jobs that were done are listed
    done = run_cli("batch", inputs, "--output", out, *LIGHT_ARGUMENTS)
    assert done.exit_code == 0, done.stderr
    assert set(statuses(out).values()) <= {"done", "done before"}
    assert "done before" in statuses(out).values()
    for job in plan_jobs([inputs]):
        do_job(job, tmp_path / "alone", LIGHT)
        assert (tmp_path / "alone" / job.name).read_bytes() == (out / job.name).read_bytes()
    assert [path.name for path in out.rglob("*.part")] == []


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_the_output_of_another_running_batch_is_refused(tmp_path: Path) -> None:
    face_video(tmp_path / "a.mp4", 2)
    (tmp_path / "out").mkdir()
    with Lock(tmp_path / "out"):
        done = run_cli("batch", tmp_path / "a.mp4", "--output", tmp_path / "out", *LIGHT_ARGUMENTS)
    assert_one_line_error(done, "another run is writing to it")
    assert run_cli("batch", tmp_path / "a.mp4", "--output", tmp_path / "out", *LIGHT_ARGUMENTS).exit_code == 0
