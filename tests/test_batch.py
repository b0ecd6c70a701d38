"""A batch: names that never collide, results whole or not at all, nothing lost with a worker."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faces import astronaut
from tests.test_cli import CLEAN, REPO, assert_one_line_error, face_video, run
from tracker.batch.plan import Job, plan_jobs
from tracker.batch.pool import Lost, Pool
from tracker.batch.run import MOST_ERRORS, MOST_LOSSES, SUMMARY, run_batch, write_summary
from tracker.batch.work import RECORDS, Outcome, Settings, do_job, finished
from tracker.errors import SourceError

LIGHT = Settings(model="unet-light", backend="cpu")
OPTIONS = ("--model", "unet-light", "--backend", "cpu", "--threads", "1")


def jobs(count: int) -> list[Job]:
    return [Job(f"/in/{i}.mp4", "video", f"{i}.mp4.jsonl", 10) for i in range(count)]


class Scripted:
    """Workers that answer each job with the next of its answers; the last one again and again."""

    def __init__(self, *answers: Outcome | Lost, free: int = 2) -> None:
        self.answers, self.most, self.given, self.closed = answers, free, [], 0  # type: ignore[var-annotated]
        self._running: list[Job] = []

    @property
    def free(self) -> int:
        return self.most - len(self._running)

    def start(self, job: Job) -> None:
        self.given.append(job)
        self._running.append(job)

    def wait(self) -> list[tuple[Job, Outcome | Lost]]:
        job = self._running.pop(0)
        return [(job, self.answers[min(self.given.count(job), len(self.answers)) - 1])]

    def close(self) -> None:
        self.closed += 1


def test_names_tell_where_each_input_lies(tmp_path: Path) -> None:
    for name in ("a/clip.mp4", "a/deep/clip.mp4", "a/deep/1.jpg", "a/deep/2.jpg", "b.mp4", "a/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"123")
    planned = plan_jobs([tmp_path / "a", tmp_path / "b.mp4", tmp_path / "a" / "clip.mp4"])
    assert {(job.name, job.kind, job.size) for job in planned} == {
        ("a/clip.mp4.jsonl", "video", 3),
        ("a/deep/clip.mp4.jsonl", "video", 3),
        ("a/deep.jsonl", "images", 6),
        ("b.mp4.jsonl", "video", 3),
    }


def test_equal_names_get_what_tells_them_apart_and_keep_it(tmp_path: Path) -> None:
    paths = [tmp_path / folder / name for folder, name in (("x", "a.mp4"), ("y", "a.mp4"), ("z", "A.MP4"))]
    for path in paths:
        path.parent.mkdir()
        path.write_bytes(b"")
    names = [job.name for job in plan_jobs(paths)]
    assert len({name.casefold() for name in names}) == 3
    assert names[:2] == [job.name for job in plan_jobs(paths[:2])]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="has no named pipes")
def test_pipes_in_folders_are_no_videos(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").symlink_to("nowhere")
    assert [Path(job.source).name for job in plan_jobs([tmp_path])] == ["b.mp4"]


@pytest.mark.parametrize("is_there", [False, True])
def test_an_input_that_holds_nothing_is_named(tmp_path: Path, is_there: bool) -> None:
    if is_there:
        (tmp_path / "in").mkdir()
    with pytest.raises(SourceError, match="in"):
        plan_jobs([tmp_path / "in"])


@pytest.mark.parametrize("name", ["../a.jsonl", "/a.jsonl", "", "b/../../a.jsonl"])
def test_results_stay_below_the_output(name: str) -> None:
    with pytest.raises(ValueError, match="below the output"):
        Job("/in/a.mp4", "video", name, 0)


@given(
    fates=st.lists(st.lists(st.sampled_from(["fine", "bad", "lost"]), min_size=1, max_size=7), max_size=5),
    free=st.integers(1, 3),
)
def test_each_job_is_tried_until_it_is_done_or_has_had_its_chances(fates: list[list[str]], free: int) -> None:
    results = {"fine": Outcome(1, 1), "bad": Outcome(error="bad"), "lost": Lost("killed")}
    planned = jobs(len(fates))

    class Fated(Scripted):
        def wait(self) -> list[tuple[Job, Outcome | Lost]]:
            job = self._running.pop(0)
            fate = fates[planned.index(job)]
            return [(job, results[fate[min(self.given.count(job), len(fate)) - 1]])]

    workers = Fated(free=free)
    report = run_batch(planned, Path("/nowhere"), LIGHT, lambda _: workers)
    assert list(report.outcomes) == planned
    assert workers.closed == bool(planned)
    for job, fate in zip(planned, fates, strict=True):
        endless = [*fate, *[fate[-1]] * 9]
        tries = next(
            n for n in range(1, 20)
            if endless[n - 1] == "fine"
            or endless[:n].count("bad") == MOST_ERRORS
            or endless[:n].count("lost") == MOST_LOSSES
        )  # fmt: skip
        assert workers.given.count(job) == tries
        assert (report.outcomes[job].error is None) == (endless[tries - 1] == "fine")


def test_what_failed_is_tried_again_after_all_others() -> None:
    workers = Scripted(Outcome(error="bad"), Outcome(2, 1), free=1)
    report = run_batch(jobs(3), Path("/nowhere"), LIGHT, lambda _: workers)
    assert workers.given == [*jobs(3), *jobs(3)]
    assert not report.failures


def test_results_are_those_of_the_video_alone_and_are_known_again(tmp_path: Path) -> None:
    video, out = face_video(tmp_path / "a.mp4", 12), tmp_path / "out"
    (job,) = plan_jobs([video])
    outcome = do_job(job, out, LIGHT, threads=1)
    assert (outcome.frames, outcome.faces, outcome.error) == (12, 12, None)
    alone = run("--video", video, "--no-window", "--json", tmp_path / "a.jsonl", *OPTIONS)
    assert alone.returncode == 0, alone.stderr
    assert (out / job.name).read_bytes() == (tmp_path / "a.jsonl").read_bytes()
    assert finished(job, out, LIGHT) == outcome
    assert finished(job, out, replace(LIGHT, max_faces=1)) is None
    assert finished(job, out, replace(LIGHT, model="resnet18")) is None
    text = (out / job.name).read_text()
    (out / job.name).write_text(text[:-5])
    assert finished(job, out, LIGHT) is None
    (out / job.name).write_text(text)
    os.utime(video, ns=(1, 1))
    assert finished(job, out, LIGHT) is None
    assert {path.name for path in out.rglob("*") if path.is_file()} == {"a.mp4.jsonl", "a.mp4.jsonl.json"}


@pytest.mark.parametrize(
    "damage", ["not json", "{}", '{"outcome": {"frames": "x"}, "run": 1, "size": 2}', "[]"]
)
def test_a_record_that_cannot_be_used_means_to_do_it_anew(tmp_path: Path, damage: str) -> None:
    (job,) = plan_jobs([face_video(tmp_path / "a.mp4", 3)])
    do_job(job, tmp_path / "out", LIGHT, threads=1)
    (record,) = (tmp_path / "out" / RECORDS).rglob("*.json")
    record.write_text(damage)
    assert finished(job, tmp_path / "out", LIGHT) is None


def test_nothing_appears_of_a_job_that_fails_or_is_ended(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    (bad,), (good,) = plan_jobs([tmp_path / "bad.mp4"]), plan_jobs([face_video(tmp_path / "a.mp4", 3)])
    assert "bad.mp4" in str(do_job(bad, tmp_path / "out", LIGHT, threads=1).error)

    def die() -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        do_job(good, tmp_path / "out", LIGHT, 1, die)
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []


def test_a_killed_worker_loses_nothing(tmp_path: Path) -> None:
    videos = [face_video(tmp_path / f"{i}.mp4", 6 + i) for i in range(4)]
    planned = plan_jobs(videos)
    pools: list[Pool] = []

    class Doomed(Pool):
        """Its first worker is killed as soon as it has something to do."""

        def start(self, job: Job) -> None:
            super().start(job)
            if len(pools) == 1:
                pools.append(self)
                os.kill(self._workers[0].process.pid or 0, signal.SIGKILL)

    def open_workers(count: int) -> Pool:
        assert count == 4
        pools.append(Doomed(2, tmp_path / "out", LIGHT, 1))
        return pools[0]

    report = run_batch(planned, tmp_path / "out", LIGHT, open_workers)
    assert not report.failures
    assert [outcome.frames for outcome in report.outcomes.values()] == [6, 7, 8, 9]
    assert len(pools) == 2
    for job in planned:
        do_job(job, tmp_path / "again", LIGHT, threads=1)
        assert (tmp_path / "again" / job.name).read_bytes() == (tmp_path / "out" / job.name).read_bytes()


def statuses(folder: Path) -> dict[str, str]:
    with (folder / SUMMARY).open(encoding="utf-8", newline="") as file:
        return {Path(row["source"]).name: row["status"] for row in csv.DictReader(file)}


def test_the_command_does_all_and_says_what_failed(tmp_path: Path) -> None:
    inputs = tmp_path / "in"
    (inputs / "stills").mkdir(parents=True)
    face_video(inputs / "a.mp4", 5)
    whole = face_video(tmp_path / "whole.mkv", 40).read_bytes()
    (inputs / "cut.mkv").write_bytes(b"")
    (inputs / "short.mkv").write_bytes(whole[: len(whole) // 2])
    for name in ("1.png", "2.png"):
        cv2.imwrite(str(inputs / "stills" / name), astronaut())
    done = run("batch", inputs, "--output", tmp_path / "out", "--jobs", "2", *OPTIONS)
    assert done.returncode == 1
    first, second, last = done.stderr.splitlines()
    assert {Path(line.split()[1]).name for line in (first, second)} == {"cut.mkv", "short.mkv"}
    assert last.startswith("tracker: 2 of 4 failed, as ")
    assert SUMMARY in last
    said = {"a.mp4": "done", "cut.mkv": "failed", "short.mkv": "failed", "stills": "done"}
    assert statuses(tmp_path / "out") == said
    lines = [json.loads(line) for line in (tmp_path / "out/in/stills.jsonl").read_text().splitlines()]
    assert [(line["source"], len(line["faces"])) for line in lines] == [("1.png", 1), ("2.png", 1)]
    rest = (tmp_path / "out/in/short.mkv.jsonl").read_text().splitlines()
    assert 10 < len(rest) < 40  # what a damaged file still holds is there
    before = (tmp_path / "out/in/a.mp4.jsonl").stat().st_mtime_ns
    (inputs / "cut.mkv").unlink()
    (inputs / "short.mkv").unlink()
    again = run("batch", inputs, "--output", tmp_path / "out", *OPTIONS)
    assert (again.returncode, again.stderr) == (0, "")
    assert statuses(tmp_path / "out") == {"a.mp4": "done before", "stills": "done before"}
    assert (tmp_path / "out/in/a.mp4.jsonl").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.mp4", "--output", "out"), ("nothing.mp4 is not there",)),
        ((".", "--output", "out", "--model", "no-such"), ("no-such",)),
        ((".", "--output", "file"), ("file",)),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    face_video(tmp_path / "a.mp4", 2)
    (tmp_path / "file").write_text("")
    assert_one_line_error(run("batch", *arguments, cwd=tmp_path, PYTHONPATH=str(REPO)), *words)


@pytest.mark.parametrize("arguments", [("--jobs", "2", "--ray", "auto"), ("--ray", ""), ("--jobs", "-1")])
def test_wrong_usage_is_refused(tmp_path: Path, arguments: Iterable[str]) -> None:
    done = run("batch", tmp_path, "--output", tmp_path / "out", *arguments)
    assert done.returncode == 2, done.stderr


def test_ray_that_is_missing_is_named(tmp_path: Path) -> None:
    face_video(tmp_path / "a.mp4", 2)
    code = "import sys; sys.modules['ray'] = None; from tracker.cli import main; main()"
    command = [sys.executable, "-c", code, "batch", tmp_path, "--output", tmp_path / "out", "--ray", "auto"]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=REPO, env=CLEAN, timeout=60, check=False
    )
    assert_one_line_error(done, "--ray needs Ray", "tracker[cluster]")


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(("kind", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_a_batch_that_is_ended_goes_on_and_leaves_no_drafts(
    tmp_path: Path, kind: signal.Signals, code: int
) -> None:
    inputs, out = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    for index in range(4):
        face_video(inputs / f"{index}.mp4", 60)
    command = [sys.executable, "-m", "tracker", "batch", inputs, "--output", out, "--jobs", "2", *OPTIONS]
    process = subprocess.Popen(
        command, cwd=REPO, env=CLEAN, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while not list(out.rglob("*.mp4.jsonl")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(kind)
    assert process.wait(60) == code
    done = run("batch", inputs, "--output", out, *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert set(statuses(out).values()) <= {"done", "done before"}
    assert "done before" in statuses(out).values()
    for job in plan_jobs([inputs]):
        do_job(job, tmp_path / "alone", LIGHT, threads=1)
        assert (tmp_path / "alone" / job.name).read_bytes() == (out / job.name).read_bytes()
    assert [path.name for path in out.rglob("*.part")] == []


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    from tracker.errors import SinkError

    report = run_batch(jobs(1), tmp_path, LIGHT, lambda _: Scripted(Outcome(1, 1)))
    (tmp_path / SUMMARY).mkdir()
    with pytest.raises(SinkError, match=SUMMARY):
        write_summary(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [SUMMARY]
