"""Runs that are killed go on and end with the very same lines; what does not fit is refused."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import cv2
import pytest

from tests.cli import assert_one_line_error, line_count, run_cli, start_cli, wait_until
from tests.faces import astronaut
from tests.media import face_video
from tracker.errors import SinkError
from tracker.runs.checkpoints import EVERY, Checkpoint, Checkpoints, run_identity

QUICK = ("--backend", "cpu", "--threads", 1, "--model", "unet-light")


def run_args(video: Path, out: Path) -> list[object]:
    return ["--video", video, "--json", out, "--no-window", *QUICK]


def kill_at(args: list[object], out: Path, lines: int) -> None:
    """Start the run and SIGKILL it when it has written so many more lines."""
    before = line_count(out)
    with start_cli(*args) as process:
        while process.poll() is None:
            written = line_count(out)
            if written >= before + lines or written < before:
                break
            time.sleep(0.005)
        process.kill()


def begin(path: Path, lines: int) -> None:
    with Checkpoints(path, {"input": "a"}) as checkpoints:
        checkpoints.begin()
        path.write_text("".join(f"{i}\n" for i in range(lines)))
        checkpoints.note(lines, lambda: {"seen": lines})


def resumed(path: Path) -> Checkpoint:
    with Checkpoints(path, {"input": "a"}, resume=True) as checkpoints:
        return checkpoints.start


def test_a_resumed_run_starts_at_its_last_checkpoint_and_drops_what_came_after(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    begin(out, EVERY)
    kept = out.read_bytes()
    with out.open("a") as file:
        file.write('50\n51\n{"cut of')
    start = resumed(out)
    assert (start.done, start.memory) == (EVERY, {"seen": EVERY})
    assert out.read_bytes() == kept


def test_between_checkpoints_nothing_is_written(tmp_path: Path) -> None:
    begin(tmp_path / "o.jsonl", EVERY - 1)
    assert resumed(tmp_path / "o.jsonl") == Checkpoint()


@pytest.mark.parametrize("damage", ["other", "version", "shorter", "changed", "garbage", "gone"])
def test_what_cannot_be_resumed_says_why_and_stays_as_it_is(damage: str, tmp_path: Path) -> None:
    out, beside = tmp_path / "o.jsonl", tmp_path / "o.jsonl.resume"
    begin(out, EVERY)
    now, why = {"input": "a"}, "was changed"
    if damage == "other":
        now, why = {"input": "b"}, 'input was "a", now "b"'
    elif damage == "version":
        beside.write_text(beside.read_text().replace('"format": 2', '"format": 0'))
        why = "other version"
    elif damage == "shorter":
        out.write_bytes(out.read_bytes()[:-5])
    elif damage == "changed":
        out.write_bytes(b"x" + out.read_bytes()[1:])
    elif damage == "garbage":
        beside.write_text('{"format": 1, "run": [')
        why = "cannot be used"
    else:
        beside.unlink()
        why = "complete or of other origin"
    before = out.read_bytes()
    with pytest.raises(SinkError, match=why):
        Checkpoints(out, now, resume=True)
    assert out.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="holds no files")
def test_a_second_run_into_the_same_results_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    video, out = face_video(tmp_path / "in.mp4", 180), tmp_path / "o.jsonl"
    with start_cli(*run_args(video, out)) as first:
        wait_until(lambda: line_count(out) > 0, first)
        first.send_signal(signal.SIGSTOP)
        before = out.read_bytes()
        assert_one_line_error(run_cli(*run_args(video, out)), "another run is writing to it")
        assert_one_line_error(run_cli(*run_args(video, out), "--resume"), "another run is writing to it")
        assert out.read_bytes() == before
        first.send_signal(signal.SIGCONT)
        assert first.wait(60) == 0
    assert line_count(out) == 180


def test_inputs_are_told_apart_by_name_size_and_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = run_identity("video", [tmp_path / "a"])
    assert first == run_identity("video", [tmp_path / "a"])
    (tmp_path / "a").write_text("12")
    assert first != run_identity("video", [tmp_path / "a"])
    both = run_identity("images", [tmp_path / "a", tmp_path / "b"])
    assert both != run_identity("images", [tmp_path / "b", tmp_path / "a"])


def test_killed_at_random_instants_a_video_ends_identically(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 180)
    assert run_cli(*run_args(video, tmp_path / "whole.jsonl")).exit_code == 0
    whole = (tmp_path / "whole.jsonl").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.mp4", "whole.jsonl"]
    out = tmp_path / "o.jsonl"
    rng = random.Random(7)
    for attempt in range(2):
        kill_at([*run_args(video, out), *(["--resume"] if attempt else [])], out, rng.randrange(1, 90))
        lines = out.read_bytes().split(b"\n")[:-1]
        assert lines == whole.split(b"\n")[: len(lines)]  # valid up to then
    done = run_cli(*run_args(video, out), "--resume")
    assert done.exit_code == 0, done.stderr
    assert out.read_bytes() == whole
    again = run_cli(*run_args(video, out), "--resume")  # nothing is left to do
    assert (again.exit_code, out.read_bytes()) == (0, whole)
    other = run_cli(*run_args(video, out), "--resume", "--max-faces", 2)
    assert_one_line_error(other, "settings.max_faces was 8, now 2", "--resume")
    assert out.read_bytes() == whole


def test_a_killed_run_over_images_goes_on_with_its_failures(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(110):
        cv2.imwrite(str(folder / f"{i}.jpg"), astronaut()[:, i % 40 :])
    (folder / "3.jpg").write_bytes(b"no picture")
    args: list[object] = ["--images", folder, *QUICK, "--json"]
    first = run_cli(*args, tmp_path / "whole.jsonl")
    assert_one_line_error(first, "1 image could not be read", "3.jpg")
    out = tmp_path / "o.jsonl"
    kill_at([*args, out], out, 60)
    resumed = run_cli(*args, out, "--resume")
    assert (resumed.exit_code, resumed.stderr) == (first.exit_code, first.stderr)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert run_cli(*args, out, "--resume").stderr == first.stderr  # that it has ended so is kept, too


def test_what_can_be_resumed_stays_until_a_new_run_has_opened_its_outputs(tmp_path: Path) -> None:
    video, out = face_video(tmp_path / "in.mp4", 180), tmp_path / "o.jsonl"
    kill_at(run_args(video, out), out, EVERY + 5)
    kept = out.read_bytes(), out.with_name("o.jsonl.resume").read_bytes()
    assert_one_line_error(run_cli(*run_args(video, out), "--csv", tmp_path / "no" / "o.csv"), "no folder")
    assert (out.read_bytes(), out.with_name("o.jsonl.resume").read_bytes()) == kept


@pytest.mark.parametrize(("given", "name"), [(("--start", 1), "start_s"), (("--every", 2), "every")])
def test_another_part_of_a_video_is_not_what_was_begun(
    given: tuple[object, ...], name: str, tmp_path: Path
) -> None:
    video, out = face_video(tmp_path / "in.mp4", 60), tmp_path / "o.jsonl"
    assert run_cli(*run_args(video, out), "--resume").exit_code == 0
    assert_one_line_error(run_cli(*run_args(video, out), "--resume", *given), f"{name} was", "--resume")


def test_resume_needs_a_json_file_and_nothing_else(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 3)
    out = tmp_path / "o.jsonl"
    for args in (
        ["--video", video, "--resume"],
        ["--video", video, "--json", "-", "--resume", "--no-window"],
        [*run_args(video, out), "--output", tmp_path / "o.mp4", "--resume"],
        [*run_args(video, out), "--csv", tmp_path / "o.csv", "--resume"],
        ["--camera", "0", "--json", out, "--resume", "--no-window"],
    ):
        done = run_cli(*args)
        assert done.exit_code == 2, done.stderr
        assert "--resume" in done.stderr
    assert_one_line_error(run_cli(*run_args(video, Path("/dev/null")), "--resume"), "/dev/null", "no file")
