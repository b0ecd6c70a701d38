"""Records of a batch: what is known to be done, and what must be done again."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.batches import LIGHT
from tests.cache import Clips
from tests.media import face_video
from tracker.runs.batch.job import do_job
from tracker.runs.batch.plan import hashed, plan_jobs
from tracker.runs.batch.records import RECORDS, Outcome, finished, keep_apart


def test_results_are_recognised_unless_input_options_or_file_have_changed(tmp_path: Path) -> None:
    video, out = face_video(tmp_path / "a.mp4", 5), tmp_path / "out"
    (job,) = plan_jobs([video])
    assert finished(job, out, LIGHT) is None
    outcome = do_job(job, out, LIGHT)
    assert finished(job, out, LIGHT) == outcome
    assert finished(job, out, replace(LIGHT, threads=2)) == outcome
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
    "damage",
    [
        "not json",
        "{}",
        '{"outcome": {"frames": "x"}, "run": 1, "size": 2}',
        '{"run": {}, "size": 1e999, "outcome": {}}',
        "[]",
        "[" * 200_000,
    ],
)
def test_a_job_with_a_damaged_record_is_done_again(tmp_path: Path, damage: str, clips: Clips) -> None:
    (job,) = plan_jobs([clips.faces(3)])
    do_job(job, tmp_path, LIGHT)
    (record,) = (tmp_path / RECORDS).rglob("*.json")
    record.write_text(damage)
    assert finished(job, tmp_path, LIGHT) is None
    assert keep_apart([job], tmp_path) == [job]


@pytest.mark.parametrize("wrong", [{"frames": "6"}, {"faces": None}, {"seconds": "1"}, {"error": 5}])
def test_an_outcome_of_other_types_is_refused(wrong: dict[str, object]) -> None:
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
    (out / first.name).unlink()  # results that are gone need not be kept
    assert keep_apart([second], out) == [second]


def test_a_file_that_is_not_of_results_is_never_replaced(tmp_path: Path, clips: Clips) -> None:
    (job,) = plan_jobs([clips.faces(3)])
    path = tmp_path / job.name
    assert keep_apart([job], tmp_path) == [job]
    for other in ("notes", '{"a": 1}', "[]", "\0"):
        path.write_text(other)
        (kept,) = keep_apart([job], tmp_path)
        assert kept.name != job.name
    path.write_text('{"source": "a.mp4", "frame": 0, "faces": []}\n')  # killed before its record was written
    assert keep_apart([job], tmp_path) == [job]
    path.unlink()
    path.mkdir()
    assert keep_apart([job], tmp_path) != [job]
