"""Films in the window on a virtual screen: keys, and recordings that survive every end."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.cli import json_lines, on_virtual_screen, run_cli, run_process
from tests.media import face_video, frame_count

needs_xvfb = pytest.mark.skipif(
    not all(map(shutil.which, ("Xvfb", "xvfb-run", "xdotool"))), reason="needs xvfb and xdotool"
)

# Runs under xvfb-run. Arguments: how the run is to end, then those of the tracker.
SESSION = """
import json, signal, subprocess, sys, time
from pathlib import Path
from tests.x11 import press_cross
end, *arguments = sys.argv[1:]
run = subprocess.Popen([sys.executable, "-m", "tracker", *arguments])
def until(answer):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and run.poll() is None:
        if found := answer():
            return found
        time.sleep(0.05)
    raise SystemExit(f"timed out, or ended with {run.poll()}")
def find():
    search = ["xdotool", "search", "--name", "^tracker$"]
    return subprocess.run(search, capture_output=True, text=True).stdout.split()
window = until(find)[-1]
def press(*keys):
    for key in keys:
        subprocess.run(["xdotool", "windowfocus", window, "key", key], capture_output=True)
        time.sleep(0.2)
def files(suffix):
    return sorted(Path().glob("tracker-*" + suffix))
def saved(count):
    press("s")
    return len(files(".json")) >= count
def frames():
    texts = [path.read_text() for path in files(".json")]
    return {json.loads(text)["frame"] for text in texts if text.endswith("\\n")}
until(lambda: saved(1))
if end == "keys":
    for keys in ("space", "i h h p m f f Right comma period Left", "space"):
        press(*keys.split())
        time.sleep(1)  # of several keys that come during a frame, HighGUI keeps the last
    until(lambda: saved(len(files(".json")) + 1))
press("r")
until(lambda: files(".mp4"))
before = len(frames())
def has_recorded():
    press("s", *["period"] * (end == "keys"))  # a step goes on in a pause, too, if a key was lost
    return len(frames()) > before + 6
until(has_recorded)
if end == "interrupt":
    run.send_signal(signal.SIGINT)
elif end == "cross":
    press_cross(int(window))
else:
    press("r", "q")
print(run.wait(60))
"""


def play(end: str, folder: Path, *options: str) -> list[str]:
    """Play a film of a minute in ``folder``, and end it so; return exit code and standard error."""
    film = face_video(folder / "in.mkv", 1500)
    command = on_virtual_screen([sys.executable, "-c", SESSION, end, "--video", str(film), *options])
    done = run_process(command, cwd=folder)
    assert done.stdout, done.stderr
    return [done.stdout.strip(), done.stderr]


@pytest.mark.slow
@needs_xvfb
@pytest.mark.parametrize(("end", "code"), [("keys", "0"), ("interrupt", "130"), ("cross", "0")])
def test_snapshots_and_recordings_survive_every_end(end: str, code: str, tmp_path: Path) -> None:
    printed, errors = play(end, tmp_path)
    assert printed == code, errors
    assert "Traceback" not in errors
    (recording,) = tmp_path.glob("tracker-*.mp4")
    assert frame_count(recording) > 5
    snapshots = list(tmp_path.glob("tracker-*.png"))
    assert snapshots
    for snapshot in snapshots:
        (result,) = json_lines(snapshot.with_suffix(".json"))
        assert (result["width"], result["height"]) == (320, 320)


@pytest.mark.slow
@needs_xvfb
def test_keys_do_not_change_the_results_of_a_film(tmp_path: Path) -> None:
    plain = tmp_path / "plain.jsonl"
    code, errors = play("keys", tmp_path, "--json", "shown.jsonl")
    assert code == "0", errors
    done = run_cli("--video", tmp_path / "in.mkv", "--end", 4, "--no-window", "--json", plain)
    assert done.exit_code == 0, done.stderr
    shown = (tmp_path / "shown.jsonl").read_text().splitlines()
    expected = plain.read_text().splitlines()
    compared = min(len(shown), len(expected))
    assert compared > 10
    assert shown[:compared] == expected[:compared]


@pytest.mark.parametrize("option", ["--mirror", "--no-mirror"])
def test_mirroring_without_a_window_is_refused(option: str, tmp_path: Path) -> None:
    done = run_cli("--video", tmp_path / "a.mp4", option, "--no-window", "--json", tmp_path / "o.jsonl")
    assert done.exit_code == 2
    assert "--mirror is about the window" in " ".join(done.stderr.split())
