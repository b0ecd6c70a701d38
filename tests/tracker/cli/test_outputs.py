"""What the command sends to other programs: standard output, OSC, a virtual camera."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import termios
import time
from pathlib import Path

import cv2
import pytest

from tests.cli import (
    REPO,
    assert_one_line_error,
    line_count,
    run_cli,
    run_process,
    start_cli,
    wait_until,
)
from tests.faces import astronaut
from tests.media import face_video, frame_count, mjpeg_server


def test_standard_output_carries_what_the_file_would_and_nothing_else(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 12)
    piped = run_cli("--video", video, "--no-window", "--json", "-")
    assert run_cli("--video", video, "--no-window", "--json", tmp_path / "o.jsonl").exit_code == 0
    assert piped.exit_code == 0, piped.stderr
    assert piped.stderr == ""
    assert piped.stdout == (tmp_path / "o.jsonl").read_text()
    assert len(piped.stdout.splitlines()) == 12


def test_a_bad_image_is_a_line_of_output_and_a_line_of_error(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), astronaut())
    (tmp_path / "b.png").write_bytes(b"no")
    done = run_cli("--images", tmp_path, "--json", "-")
    assert_one_line_error(done, "1 image", "b.png")
    good, bad = map(json.loads, done.stdout.splitlines())
    assert (good["source"], len(good["faces"])) == ("a.png", 1)
    assert (bad["source"], "error" in bad) == ("b.png", True)


def test_each_line_comes_while_the_camera_runs() -> None:
    with (
        mjpeg_server() as server,
        start_cli("--camera", server.url, "--no-window", "--json", "-") as process,
    ):
        assert process.stdout is not None
        lines = [json.loads(process.stdout.readline()) for _ in range(5)]
        assert process.poll() is None
        server.kill()
        assert process.stderr is not None
        assert "stopped sending" in process.stderr.readline()  # and waits until it is told to stop
        process.send_signal(signal.SIGINT)
        rest, stderr = process.communicate(timeout=60)
    indices = [line["frame"] for line in (*lines, *map(json.loads, rest.splitlines()))]
    assert indices == sorted(set(indices))
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_a_reader_that_leaves_ends_a_video_quietly_and_the_files_are_whole(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 400)
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


def test_a_reader_that_leaves_ends_a_camera() -> None:
    with (
        mjpeg_server() as server,
        start_cli("--camera", server.url, "--no-window", "--json", "-") as process,
    ):
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert (process.wait(60), stderr_of(process)) == (0, "")


@pytest.mark.skipif(sys.platform != "linux", reason="needs to know how much a pipe holds")
def test_a_reader_that_sleeps_does_not_keep_a_signal_waiting(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 400)
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


def stderr_of(process: subprocess.Popen[str]) -> str:
    """Return all that a process with a pipe for standard error has yet to say."""
    assert process.stderr is not None
    return process.stderr.read()


def _until_full(fd: int, process: subprocess.Popen[str]) -> None:
    """Wait until the pipe ``fd`` takes no more: it packs lines into pages, so some bytes stay free."""
    capacity = fcntl.fcntl(fd, 1032)  # F_GETPIPE_SZ of Linux
    before = -1
    while process.poll() is None:
        held = int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)
        if held == before and held > capacity / 2:
            return
        before = held
        time.sleep(0.5)
    pytest.fail("the run ended first")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_no_or_a_full_standard_output_is_one_line(tmp_path: Path) -> None:
    video = face_video(tmp_path / "in.mp4", 3)
    command = f"{sys.executable} -m tracker --video {video} --no-window --json -"
    for target in (">/dev/full", ">&-"):
        done = run_process(["sh", "-c", f"{command} {target}"])
        assert_one_line_error(done, "cannot write standard output")


def test_osc_reaches_a_receiver(tmp_path: Path) -> None:
    osc_packet = pytest.importorskip("pythonosc.osc_packet")
    video = face_video(tmp_path / "in.mp4", 6)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(10)
        done = run_cli("--video", video, "--no-window", "--osc", f"127.0.0.1:{receiver.getsockname()[1]}")
        assert done.exit_code == 0, done.stderr
        datagrams = [receiver.recv(65536) for _ in range(12)]
        receiver.setblocking(False)
        with pytest.raises(BlockingIOError):
            receiver.recv(65536)
    for index, (frame, face) in enumerate(zip(datagrams[::2], datagrams[1::2], strict=True)):
        first, ids = (timed.message for timed in osc_packet.OscPacket(frame).messages)
        assert first.address == "/tracker/frame"
        assert first.params == [index, pytest.approx(index / 25), 320, 320, 1, "in.mp4"]
        assert (ids.address, ids.params) == ("/tracker/ids", [1])
        assert {timed.message.params[0] for timed in osc_packet.OscPacket(face).messages} == {1}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--osc", "localhost"), ("localhost", "HOST:PORT")),
        (("--osc", "no.such.host.invalid:9000"), ("no.such.host.invalid:9000",)),
        (("--virtual-camera", "/dev/video250"), ("/dev/video250", "v4l2loopback")),
    ],
)
def test_outputs_that_do_not_open_are_one_line_and_leave_old_results_alone(
    tmp_path: Path, args: tuple[str, str], words: tuple[str, ...]
) -> None:
    pytest.importorskip("pythonosc")
    pytest.importorskip("pyvirtualcam")
    video = face_video(tmp_path / "in.mp4", 3)
    names = {"--json": "o.jsonl", "--csv": "o.csv", "--output": "o.mp4"}
    for name in names.values():
        (tmp_path / name).write_text("results of yesterday")
    files = [part for option, name in names.items() for part in (option, tmp_path / name)]
    assert_one_line_error(run_cli("--video", video, "--no-window", *files, *args), *words)
    for name in names.values():
        assert (tmp_path / name).read_text() == "results of yesterday"


@pytest.mark.parametrize(
    ("option", "package", "extra"),
    [
        (("--osc", "127.0.0.1:9000"), "pythonosc", "tracker[osc]"),
        (("--virtual-camera", "auto"), "pyvirtualcam", "tracker[virtual-camera]"),
    ],
)
def test_a_missing_extra_is_named(tmp_path: Path, option: tuple[str, str], package: str, extra: str) -> None:
    video = face_video(tmp_path / "in.mp4", 3)
    done = run_cli("--video", video, "--no-window", *option, without=[package])
    assert_one_line_error(done, f"pip install '{extra}'")


def test_a_camera_is_shown_through_a_virtual_one(tmp_path: Path) -> None:
    """The whole command, with a stand-in for pyvirtualcam that writes down what it is given."""
    log = tmp_path / "log"
    (tmp_path / "pyvirtualcam.py").write_text(
        "import enum\n"
        "PixelFormat = enum.Enum('PixelFormat', 'RGB BGR')\n"
        "class Camera:\n"
        "    def __init__(self, *, width, height, fps, fmt, device):\n"
        f"        self.log = open({str(log)!r}, 'a', buffering=1)\n"
        "        print(width, height, fps, fmt.name, device, file=self.log)\n"
        "    def send(self, frame): print(*frame.shape, file=self.log)\n"
        "    def close(self): print('closed', file=self.log)\n"
    )
    with (
        mjpeg_server() as server,
        start_cli(
            *("--camera", server.url, "--no-window", "--virtual-camera", "auto"),
            env={"PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPO)])},
        ) as process,
    ):
        wait_until(lambda: line_count(log) > 5, process)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    opened, *shown, closed = log.read_text().splitlines()
    assert opened == "64 48 30.0 BGR None"
    assert set(shown) == {"48 64 3"}
    assert closed == "closed"
