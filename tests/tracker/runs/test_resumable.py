"""Resumable runs: a run that was killed goes on and ends with the same bytes."""

from __future__ import annotations

import random
import signal
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest

from tests.cache import Clips
from tests.cli import assert_one_line_error, line_count, run_cli, start_cli, wait_until
from tests.faces import astronaut
from tests.fake_run import fake_tracker, frames
from tracker.errors import SinkError, SourceError
from tracker.runs.checkpoints import CHECKPOINT_EVERY, Checkpoints, Ended, ImagesProgress, VideoProgress
from tracker.runs.identity import RunIdentity
from tracker.runs.resumable import Resumable, resumable
from tracker.sources.images.source import ReadFailure

OPTIONS = ("--backend", "cpu", "--threads", 1, "--model", "unet-light")
FAILURES = (ReadFailure("3.jpg", "not an image"),)


def video_run(path: Path, done: int) -> None:
    """Track ``done`` frames of a video and break off."""
    tracker = fake_tracker()
    with pytest.raises(KeyboardInterrupt), resumable(path, RunIdentity("video", []), resume=False) as run:
        run.begin()
        observer = run.video_observer(tracker)
        with path.open("w") as results:
            for frame in frames(done):
                tracker.step(frame)
                results.write("line\n")
                results.flush()
                observer.item_done()
        raise KeyboardInterrupt


def test_a_video_goes_on_after_its_last_checkpoint_with_the_state_of_the_tracker(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    video_run(out, CHECKPOINT_EVERY + 7)
    assert line_count(out) == CHECKPOINT_EVERY + 7
    with resumable(out, RunIdentity("video", []), resume=True) as run:
        assert (run.done_before, run.has_ended) == (CHECKPOINT_EVERY, False)
        assert line_count(out) == CHECKPOINT_EVERY
        assert next(run.remaining(range(100))) == CHECKPOINT_EVERY
        tracker, expected = fake_tracker(), fake_tracker()
        run.restore(tracker)
        for frame in frames(CHECKPOINT_EVERY):
            expected.step(frame)
        assert tracker.state().to_json() == expected.state().to_json()


def test_images_go_on_after_their_last_group_with_their_failures(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    out.write_text("line\n" * 60)
    with resumable(out, RunIdentity("images", []), resume=False) as run:
        run.begin()
        observer = run.images_observer()
        for _ in range(CHECKPOINT_EVERY + 1):
            observer.item_done()
        assert '"progress": null' in out.with_name("o.jsonl.resume").read_text()
        observer.group_done(FAILURES)
    with resumable(out, RunIdentity("images", []), resume=True) as run:
        assert run.done_before == CHECKPOINT_EVERY + 1
        assert run.failures_before == FAILURES


def test_an_error_of_the_input_ends_a_run_and_any_other_does_not(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    for error in (SourceError("in.mp4 is damaged"), SinkError("disk full")):
        with pytest.raises(type(error)), resumable(out, RunIdentity("video", []), resume=True) as run:
            run.begin()
            out.write_text("")
            raise error
        with resumable(out, RunIdentity("video", []), resume=True) as run:
            if isinstance(error, SinkError):
                assert not run.has_ended
            else:
                with pytest.raises(SourceError, match="damaged"):
                    _ = run.has_ended
        out.with_name("o.jsonl.resume").unlink()


def test_a_run_that_has_ended_is_resumed_without_doing_anything(tmp_path: Path) -> None:
    out = tmp_path / "o.jsonl"
    with resumable(out, RunIdentity("video", []), resume=True) as run:
        run.begin()
        out.write_text("")
        run.end()
    with resumable(out, RunIdentity("video", []), resume=True) as run:
        assert run.has_ended


def test_without_a_file_of_results_nothing_is_kept() -> None:
    with resumable(None, RunIdentity("video", []), resume=False) as run:
        run.begin()
        run.video_observer(fake_tracker()).item_done()
        run.end()
        assert (run.done_before, run.has_ended, run.failures_before) == (0, False, ())
    with pytest.raises(SinkError, match="it is no file"):
        resumable(None, RunIdentity("video", []), resume=True).__enter__()


def test_progress_of_another_kind_is_refused(tmp_path: Path) -> None:
    for number, progress in enumerate((ImagesProgress(), VideoProgress(fake_tracker().state()), Ended())):
        out = tmp_path / f"{number}.jsonl"
        with Checkpoints(out, {}) as checkpoints:
            checkpoints.begin()
            out.write_text("")
            checkpoints.note(CHECKPOINT_EVERY, lambda progress=progress: progress)  # type: ignore[misc]
        with Checkpoints(out, {}, resume=True) as checkpoints:
            run = Resumable(checkpoints)
            if not isinstance(progress, VideoProgress):
                with pytest.raises(SinkError, match="no state of a tracker"):
                    run.restore(fake_tracker())
            if not isinstance(progress, ImagesProgress):
                with pytest.raises(SinkError, match="no list of images"):
                    _ = run.failures_before


def command(video: Path, out: Path) -> list[object]:
    return ["--video", video, "--json", out, "--no-window", *OPTIONS]


def kill_after(args: list[object], out: Path, lines: int) -> None:
    """Start the command and kill it once it has written ``lines`` more lines to ``out``."""
    before = line_count(out)
    with start_cli(*args) as process:
        while process.poll() is None:
            written = line_count(out)
            if written >= before + lines or written < before:
                break
            time.sleep(0.005)
        process.kill()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_results_that_another_run_writes_are_refused_until_it_has_ended(tmp_path: Path, clips: Clips) -> None:
    video, out = clips.faces(180), tmp_path / "o.jsonl"
    with start_cli(*command(video, out)) as first:
        wait_until(lambda: line_count(out) > 0, first)
        first.send_signal(signal.SIGSTOP)
        before = out.read_bytes()
        for resume in ([], ["--resume"]):
            assert_one_line_error(run_cli(*command(video, out), *resume), "another run is writing to it")
        assert out.read_bytes() == before
        first.send_signal(signal.SIGCONT)
        assert first.wait(60) == 0
    assert line_count(out) == 180


@pytest.mark.slow
def test_a_video_killed_at_random_times_ends_with_the_same_bytes(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(180)
    assert run_cli(*command(video, tmp_path / "whole.jsonl")).exit_code == 0
    whole = (tmp_path / "whole.jsonl").read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["whole.jsonl"]
    out = tmp_path / "o.jsonl"
    rng = random.Random(7)
    for resume in ([], ["--resume"]):
        kill_after([*command(video, out), *resume], out, rng.randrange(1, 90))
        lines = out.read_bytes().split(b"\n")[:-1]
        assert lines == whole.split(b"\n")[: len(lines)]
    done = run_cli(*command(video, out), "--resume")
    assert done.exit_code == 0, done.stderr
    assert out.read_bytes() == whole
    again = run_cli(*command(video, out), "--resume")  # nothing is left to do
    assert (again.exit_code, out.read_bytes()) == (0, whole)
    other = run_cli(*command(video, out), "--resume", "--max-faces", 2)
    assert_one_line_error(other, "settings.max_faces was 8, now 2", "--resume")
    assert out.read_bytes() == whole


def _moving_pictures(folder: Path, kind: str) -> Path:
    """Write 70 pictures of a drifting portrait at uneven times, or numbered with two missing."""
    images = [np.roll(cv2.resize(astronaut(), (200, 200)), 2 * index, axis=1) for index in range(70)]
    if kind == "numbered":
        for index in set(range(70)) - {20, 56}:
            cv2.imwrite(str(folder / f"f_{index:03d}.png"), images[index])
        return folder / "f_%03d.png"
    path, durations_ms = folder / f"a{kind}", [40 + 20 * (index % 3) for index in range(70)]
    first, *others = [PIL.Image.fromarray(image[..., ::-1]) for image in images]
    first.save(path, save_all=True, append_images=others, duration=durations_ms, loop=0)
    return path


@pytest.mark.slow
@pytest.mark.parametrize("kind", [".gif", ".webp", "numbered"])
def test_moving_pictures_go_on_behind_a_checkpoint(tmp_path: Path, kind: str) -> None:
    fps = ("--fps", "17") if kind == "numbered" else ()
    video = (
        "--video",
        _moving_pictures(tmp_path, kind),
        *fps,
        "--start",
        "0.3",
        "--end",
        "3.9",
        *OPTIONS,
        "--no-window",
    )
    whole, out = tmp_path / "whole.jsonl", tmp_path / "o.jsonl"
    once = run_cli(*video, "--json", whole)
    assert line_count(whole) > CHECKPOINT_EVERY + 5
    kill_after([*video, "--json", out, "--resume"], out, CHECKPOINT_EVERY + 2)
    assert line_count(out) < line_count(whole)
    resumed = run_cli(*video, "--json", out, "--resume")
    assert (resumed.exit_code, resumed.stderr) == (once.exit_code, once.stderr)
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_killed_run_over_images_ends_with_the_same_bytes_and_error(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for i in range(110):
        cv2.imwrite(str(folder / f"{i}.jpg"), astronaut()[:, i % 40 :])
    (folder / "3.jpg").write_bytes(b"no picture")
    args: list[object] = ["--images", folder, *OPTIONS, "--json"]
    whole = run_cli(*args, tmp_path / "whole.jsonl")
    assert_one_line_error(whole, "1 image could not be read", "3.jpg")
    out = tmp_path / "o.jsonl"
    kill_after([*args, out], out, 60)
    resumed = run_cli(*args, out, "--resume")
    assert (resumed.exit_code, resumed.stderr) == (whole.exit_code, whole.stderr)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert run_cli(*args, out, "--resume").stderr == whole.stderr  # the error of a run that ended is kept


def test_an_old_run_can_still_be_resumed_when_a_new_one_cannot_open_its_outputs(
    tmp_path: Path, clips: Clips
) -> None:
    video, out = clips.faces(180), tmp_path / "o.jsonl"
    kill_after(command(video, out), out, CHECKPOINT_EVERY + 5)
    kept = out.read_bytes(), out.with_name("o.jsonl.resume").read_bytes()
    new = run_cli(*command(video, out), "--csv", tmp_path / "no" / "o.csv")
    assert_one_line_error(new, "no folder")
    assert (out.read_bytes(), out.with_name("o.jsonl.resume").read_bytes()) == kept


@pytest.mark.parametrize(("options", "name"), [(("--start", 1), "start_s"), (("--every", 2), "every")])
def test_another_part_of_a_video_is_another_run(
    options: tuple[object, ...], name: str, tmp_path: Path, clips: Clips
) -> None:
    video, out = clips.faces(60), tmp_path / "o.jsonl"
    assert run_cli(*command(video, out), "--resume").exit_code == 0
    assert_one_line_error(run_cli(*command(video, out), "--resume", *options), f"{name} was", "--resume")


def test_only_a_regular_file_can_be_resumed(clips: Clips) -> None:
    done = run_cli(*command(clips.faces(), Path("/dev/null")), "--resume")
    assert_one_line_error(done, "/dev/null", "no file")
