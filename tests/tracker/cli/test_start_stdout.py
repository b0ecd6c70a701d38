"""Runs that write JSON lines to standard output."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import cv2
import pytest

from tests.batches import LIGHT_ARGUMENTS
from tests.cache import Clips
from tests.cli import (
    assert_one_line_error,
    run_cli,
    run_process,
    start_cli,
)
from tests.faces import astronaut
from tests.media import frame_count, mjpeg_server


def test_standard_output_has_the_bytes_of_the_file_and_nothing_else(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(12)
    arguments = ("--video", video, "--no-window", *LIGHT_ARGUMENTS, "--json")
    piped = run_cli(*arguments, "-")
    assert run_cli(*arguments, tmp_path / "o.jsonl").exit_code == 0
    assert piped.exit_code == 0, piped.stderr
    assert piped.stderr == ""
    assert piped.stdout == (tmp_path / "o.jsonl").read_text()
    assert len(piped.stdout.splitlines()) == 12


def test_an_unreadable_image_is_a_line_on_stdout_and_one_on_stderr(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    (tmp_path / "b.png").write_bytes(b"no")
    done = run_cli("--images", tmp_path, "--json", "-", *LIGHT_ARGUMENTS)
    assert_one_line_error(done, "1 image", "b.png")
    good, bad = map(json.loads, done.stdout.splitlines())
    assert (good["source"], len(good["faces"])) == ("a.png", 1)
    assert (bad["source"], "error" in bad) == ("b.png", True)


def test_each_line_is_written_while_the_camera_runs() -> None:
    with (
        mjpeg_server() as server,
        start_cli("--camera", server.url, "--no-window", "--json", "-") as process,
    ):
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(5)]
        assert process.poll() is None
        server.kill()
        assert process.stderr is not None
        assert "stopped sending" in process.stderr.readline()  # it waits for the camera to come back
        process.send_signal(signal.SIGINT)
        rest, stderr = process.communicate(timeout=60)
    indices = [line["frame"] for line in (*lines, *map(json.loads, rest.splitlines()))]
    assert indices == sorted(set(indices))
    assert process.returncode == 130
    assert "Traceback" not in stderr


@pytest.mark.slow
def test_a_video_ends_without_error_when_the_reader_closes_the_pipe(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(400)
    outputs = ("--json", "-", "--output", tmp_path / "o.mp4", "--csv", tmp_path / "o.csv")
    with start_cli("--video", video, "--no-window", *outputs) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["frame"] == 0
        process.stdout.close()
        assert (process.wait(60), stderr_of(process)) == (0, "")
    rows = (tmp_path / "o.csv").read_text().splitlines()
    assert rows[-1].count(",") == rows[0].count(",")
    assert 1 <= frame_count(tmp_path / "o.mp4") < 400
    assert abs(frame_count(tmp_path / "o.mp4") - (len(rows) - 1)) <= 1


def test_a_camera_ends_without_error_when_the_reader_closes_the_pipe() -> None:
    with (
        mjpeg_server() as server,
        start_cli("--camera", server.url, "--no-window", "--json", "-") as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(60), stderr_of(process)) == (0, "")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs to know how much a pipe holds")
def test_a_signal_ends_a_run_that_waits_for_its_reader(tmp_path: Path, clips: Clips) -> None:
    video = clips.faces(400)
    with start_cli("--video", video, "--no-window", "--json", "-", "--csv", tmp_path / "o.csv") as process:
        assert process.stdout is not None
        _until_full(process.stdout.fileno(), process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 143
        *whole, last = process.stdout.read().split("\n")
    assert [json.loads(line)["frame"] for line in whole] == list(range(len(whole)))
    rows = (tmp_path / "o.csv").read_text().splitlines()
    assert len(rows) - 1 in (len(whole), len(whole) + 1)
    assert len(last) < len(whole[0])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_closed_or_full_standard_output_is_one_line(clips: Clips) -> None:
    video = clips.faces(3)
    command = f"{sys.executable} -m tracker --video {video} --no-window --json -"
    for target in (">/dev/full", ">&-"):
        done = run_process(["sh", "-c", f"{command} {target}"])
        assert_one_line_error(done, "cannot write standard output")


def stderr_of(process: subprocess.Popen[str]) -> str:
    """Return the rest of what a process writes to the pipe of its standard error."""
    assert process.stderr is not None
    return process.stderr.read()


def _until_full(fd: int, process: subprocess.Popen[str]) -> None:
    """Wait until the pipe ``fd`` is full; it stores lines in pages, so some bytes stay free."""
    capacity = fcntl.fcntl(fd, 1032)  # F_GETPIPE_SZ of Linux
    before = -1
    while process.poll() is None:
        held = int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)
        if held == before and held > capacity / 2:
            return
        before = held
        time.sleep(0.5)
    pytest.fail("the run ended first")
