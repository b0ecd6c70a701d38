"""A batch: names that never collide, results whole or not at all, nothing lost with a worker."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli import run_cli
from tests.media import face_video
from tracker.runs.batch.job import RECORDS, Outcome, do_job, finished, keep_apart
from tracker.runs.batch.plan import Job, hashed, plan_jobs
from tracker.runs.batch.pool import Lost, Pool
from tracker.runs.batch.run import MOST_ERRORS, MOST_LOSSES, SUMMARY, Report, run_batch, write_summary
from tracker.tracking.opening import TrackerOptions

LIGHT = TrackerOptions("unet-light", "cpu", threads=1)
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


def test_nobody_is_called_for_what_is_done(tmp_path: Path) -> None:
    (job,) = plan_jobs([face_video(tmp_path / "a.mp4", 2)])
    do_job(job, tmp_path, LIGHT)

    def never(_: int) -> Pool:
        raise AssertionError

    assert run_batch([job], tmp_path, LIGHT, never).skipped == {job}


def test_an_interrupted_batch_ends_its_workers_and_reports_what_was_done() -> None:
    class Interrupted(Scripted):
        def wait(self) -> list[tuple[Job, Outcome | Lost]]:
            if len(self.given) > 2:
                raise KeyboardInterrupt
            return super().wait()

    workers, report = Interrupted(Outcome(1, 1), free=1), Report()
    with pytest.raises(KeyboardInterrupt):
        run_batch(jobs(4), Path("/nowhere"), LIGHT, lambda _: workers, report=report)
    assert list(report.outcomes) == jobs(2)
    assert workers.closed == 1


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (job,) = plan_jobs([face_video(tmp_path / "a.mp4", 3)])
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / job.name).write_text("old\n")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in str(do_job(job, tmp_path / "out", LIGHT).error)
    assert {path.name for path in (tmp_path / "out").rglob("*")} == {job.name}
    assert (tmp_path / "out" / job.name).read_text() == "old\n"


def test_results_are_those_of_the_video_alone_and_are_known_again(tmp_path: Path) -> None:
    video, out = face_video(tmp_path / "a.mp4", 12), tmp_path / "out"
    (job,) = plan_jobs([video])
    outcome = do_job(job, out, LIGHT)
    assert (outcome.frames, outcome.faces, outcome.error) == (12, 12, None)
    alone = run_cli("--video", video, "--no-window", "--json", tmp_path / "a.jsonl", *OPTIONS)
    assert alone.exit_code == 0, alone.stderr
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
    "damage", ["not json", "{}", '{"outcome": {"frames": "x"}, "run": 1, "size": 2}', "[]", "[" * 200_000]
)
def test_a_record_that_cannot_be_used_means_to_do_it_anew(tmp_path: Path, damage: str) -> None:
    (job,) = plan_jobs([face_video(tmp_path / "a.mp4", 3)])
    do_job(job, tmp_path / "out", LIGHT)
    (record,) = (tmp_path / "out" / RECORDS).rglob("*.json")
    record.write_text(damage)
    assert finished(job, tmp_path / "out", LIGHT) is None


@pytest.mark.parametrize("wrong", [{"frames": "6"}, {"faces": None}, {"seconds": "1"}, {"error": 5}])
def test_an_outcome_of_other_types_is_none(wrong: dict[str, object]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Outcome(**wrong)  # type: ignore[arg-type]


def test_results_of_another_input_are_kept(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for folder in "ab":
        (tmp_path / folder).mkdir()
        face_video(tmp_path / folder / "clip.mp4", 3)
    (first,), (second,) = plan_jobs([tmp_path / "a" / "clip.mp4"]), plan_jobs([tmp_path / "b" / "clip.mp4"])
    assert first.name == second.name
    do_job(first, out, LIGHT)
    assert keep_apart([first], out) == [first]
    (other,) = keep_apart([second], out)
    assert (other.source, other.name) == (second.source, hashed(second).name) != (second.source, first.name)
    do_job(other, out, LIGHT)
    assert keep_apart([first, second], out) == [first, other]
    assert finished(first, out, LIGHT)
    assert finished(other, out, LIGHT)
    (out / first.name).unlink()  # what is not there needs no keeping
    assert keep_apart([second], out) == [second]


def test_nothing_appears_of_a_job_that_fails_or_is_ended(tmp_path: Path) -> None:
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    (bad,), (good,) = plan_jobs([tmp_path / "bad.mp4"]), plan_jobs([face_video(tmp_path / "a.mp4", 3)])
    assert "bad.mp4" in str(do_job(bad, tmp_path / "out", LIGHT).error)

    def die() -> None:
        raise SystemExit(1)

    with pytest.raises(SystemExit):
        do_job(good, tmp_path / "out", LIGHT, die)
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
        pools.append(Doomed(2, tmp_path / "out", LIGHT))
        return pools[0]

    report = run_batch(planned, tmp_path / "out", LIGHT, open_workers)
    assert not report.failures
    assert [outcome.frames for outcome in report.outcomes.values()] == [6, 7, 8, 9]
    assert len(pools) == 2
    for job in planned:
        do_job(job, tmp_path / "again", LIGHT)
        assert (tmp_path / "again" / job.name).read_bytes() == (tmp_path / "out" / job.name).read_bytes()


def test_a_summary_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    from tracker.errors import SinkError

    report = run_batch(jobs(1), tmp_path, LIGHT, lambda _: Scripted(Outcome(1, 1)))
    (tmp_path / SUMMARY).mkdir()
    with pytest.raises(SinkError, match=SUMMARY):
        write_summary(report, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [SUMMARY]
