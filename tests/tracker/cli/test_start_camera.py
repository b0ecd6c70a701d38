"""Runs over a camera: lost streams, a virtual camera, and the window on a virtual screen."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest

from tests.cli import (
    REPO,
    assert_one_line_error,
    json_lines,
    line_count,
    on_virtual_screen,
    run_cli,
    run_process,
    start_cli,
    wait_until,
)
from tests.media import frame_count, mjpeg_server, picture

needs_xvfb = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xvfb-run", "xdotool"))), reason="needs xvfb and xdotool"
)


@pytest.mark.slow
def test_a_lost_stream_is_waited_for_until_ctrl_c(tmp_path: Path) -> None:
    lines = tmp_path / "o.jsonl"
    with (
        mjpeg_server() as server,
        start_cli(
            "--camera", server.url, "--no-window", "--json", lines, "--output", tmp_path / "o.mp4"
        ) as process,
    ):
        wait_until(lambda: line_count(lines) > 5, process)
        server.kill()
        assert process.stderr
        assert "stopped sending after" in process.stderr.readline()
        with mjpeg_server(port=server.port, shows=lambda n: picture(n, 160, 90)):
            assert "is back after" in process.stderr.readline()
            assert "now sends 160x90 instead of 64x48" in process.stderr.readline()
            seen = line_count(lines)
            wait_until(lambda: line_count(lines) >= seen + 5, process)
        assert "stopped sending after" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert stderr.count("\n") == 1
    records = json_lines(lines)
    assert records[-1]["width"] == 160
    for key in ("frame", "time_s"):
        values = [record[key] for record in records]
        assert values == sorted(set(values))
    assert frame_count(tmp_path / "o.mp4") == len(records)


@pytest.mark.slow
def test_ctrl_c_ends_the_wait_for_a_silent_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with start_cli("--camera", url, "--no-window", "--json", os.devnull) as process:
            connection, _ = silent.accept()
            with connection:
                process.send_signal(signal.SIGINT)
                _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in stderr


def test_pictures_are_shown_on_a_virtual_camera(tmp_path: Path) -> None:
    """The module pyvirtualcam is replaced by one that logs its calls."""
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


# Runs under xvfb-run, whose virtual screen DISPLAY names. Presses q once 40 frames are written.
SESSION = """
import subprocess, sys, time
from pathlib import Path
lines = Path(sys.argv[2])
run = subprocess.Popen([sys.executable, "-m", "tracker", "--camera", sys.argv[1], "--json", sys.argv[2]])
deadline = time.monotonic() + 60
while run.poll() is None and time.monotonic() < deadline:
    if lines.exists() and lines.read_text().count("\\n") > 40:
        found = subprocess.run(["xdotool", "search", "--name", "^tracker$"], capture_output=True, text=True)
        for window in found.stdout.split():
            subprocess.run(["xdotool", "windowfocus", window, "key", "q"], capture_output=True)
    time.sleep(0.1)
run.kill()
sys.exit(run.wait())
"""


@pytest.mark.slow
@needs_xvfb
def test_q_quits_and_frames_of_a_fast_stream_are_skipped(tmp_path: Path) -> None:
    lines = tmp_path / "o.jsonl"
    with mjpeg_server(fps=400) as server:
        command = on_virtual_screen([sys.executable, "-c", SESSION, server.url, str(lines)])
        done = run_process(command)
        sent = server.sent
    assert done.exit_code == 0, done.stderr
    assert done.stderr == ""
    records = [json.loads(line) for line in lines.read_text().splitlines()]
    frames = [record["frame"] for record in records]
    times = [record["time_s"] for record in records]
    assert frames == sorted(set(frames))
    assert times == sorted(times)
    # The camera is faster than the loop: the newest frame is shown, and most are skipped.
    assert len(frames) < 0.9 * sent
    assert frames[-1] > len(frames)


# Stops the camera once 20 frames are written, and presses q when that was reported.
OUTAGE = """
import subprocess, sys, time
from pathlib import Path
from tests.media import start_camera
server, lines = start_camera(), Path(sys.argv[1])
run = subprocess.Popen(
    [sys.executable, "-m", "tracker", "--camera", server.url, "--json", sys.argv[1]],
    stderr=subprocess.PIPE, text=True,
)
while not (lines.exists() and lines.read_text().count("\\n") > 20):
    assert run.poll() is None
    time.sleep(0.05)
server.kill()
print(run.stderr.readline(), end="")
search = ["xdotool", "search", "--name", "^tracker$"]
window = subprocess.run(search, capture_output=True, text=True).stdout.split()[-1]
deadline = time.monotonic() + 60
while run.poll() is None and time.monotonic() < deadline:
    subprocess.run(["xdotool", "windowfocus", window, "key", "q"], capture_output=True)
    time.sleep(0.1)
run.kill()
print(run.stderr.read(), end="")
sys.exit(run.wait())
"""


@pytest.mark.slow
@needs_xvfb
def test_q_quits_while_a_lost_stream_is_waited_for(tmp_path: Path) -> None:
    command = on_virtual_screen([sys.executable, "-c", OUTAGE, str(tmp_path / "o.jsonl")])
    done = run_process(command)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") == 1, done.stdout
    assert "stopped sending after" in done.stdout


def test_without_a_display_the_error_names_no_window(tmp_path: Path) -> None:
    with mjpeg_server() as server:
        assert_one_line_error(run_cli("--camera", server.url, cwd=tmp_path), "--no-window")
