"""The live path in a real window on a virtual screen, fed by a network camera on this computer."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.cli import assert_one_line_error, on_virtual_screen, run_cli, run_process
from tests.media import mjpeg_server

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xvfb-run", "xdotool"))), reason="needs xvfb and xdotool"
)

# Started by xvfb-run, so that DISPLAY is the virtual screen's. Presses q once 40 frames are written.
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


def test_q_quits_and_a_fast_stream_is_skipped_not_queued(tmp_path: Path) -> None:
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
    # The stream outruns the loop: what is shown keeps up with what was sent, though most was never shown.
    assert len(frames) < 0.9 * sent
    assert frames[-1] > len(frames)


# Kills the stream once 20 frames are written, and presses q when the loss has been said.
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


def test_q_quits_while_a_lost_stream_is_waited_for(tmp_path: Path) -> None:
    command = on_virtual_screen([sys.executable, "-c", OUTAGE, str(tmp_path / "o.jsonl")])
    done = run_process(command)
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stdout.count("\n") == 1, done.stdout
    assert "stopped sending after" in done.stdout


def test_without_a_screen_the_remedy_is_named(tmp_path: Path) -> None:
    with mjpeg_server() as server:
        assert_one_line_error(run_cli("--camera", server.url, cwd=tmp_path), "--no-window")
