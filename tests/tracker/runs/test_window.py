"""Real and fake windows; the real one in processes of their own, on a virtual screen."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli import on_virtual_screen, run_process
from tracker.errors import DisplayError
from tracker.runs.window import FakeWindow, Screen, Window, first_hw

ON_LINUX = sys.platform.startswith("linux")
needs_xvfb = pytest.mark.skipif(
    not (ON_LINUX and shutil.which("xvfb-run") and shutil.which("xdotool")),
    reason="needs xvfb-run and xdotool",
)


OPEN = """
from tracker.runs.window import Window
from tracker.errors import DisplayError
try:
    Window("test")
except DisplayError as error:
    print(error)
"""


@pytest.mark.skipif(not ON_LINUX, reason="X11")
@pytest.mark.parametrize("display", ["", ":987", "no-such-screen"])
def test_a_missing_display_is_an_error_and_no_abort(display: str) -> None:
    env = {"DISPLAY": display, "WAYLAND_DISPLAY": "wayland-0"}
    done = run_process([sys.executable, "-c", OPEN], env=env)
    assert done.exit_code == 0, done.stderr
    assert "no display" in done.stdout
    assert "add --no-window" in done.stdout
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_opencv_without_windows_names_the_commands_that_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.runs.window.cv2.currentUIFramework", lambda: "")
    builds = {"opencv-contrib-python-headless": "4.14.0.94"}
    monkeypatch.setattr("tracker.system.libraries.installed", lambda _: builds)
    with pytest.raises(
        DisplayError,
        match=r"windows: pip uninstall .* opencv-contrib-python==4\.14\.0\.94, or add --no-window$",
    ):
        Window("test")


@needs_xvfb
def test_a_server_that_refuses_the_connection_is_no_display(tmp_path: Path) -> None:
    code = "import os; os.environ['XAUTHORITY'] = '/nonexistent'\n" + OPEN
    done = run_process(on_virtual_screen([sys.executable, "-c", code], "-e", str(tmp_path / "log")))
    assert done.exit_code == 0, done.stderr
    assert "add --no-window" in done.stdout


SESSION = """
import subprocess, time
import numpy as np
from tests.x11 import press_cross
from tracker.runs.window import Window
def find(name):
    search = ["xdotool", "search", "--name", name]
    return subprocess.run(search, capture_output=True, text=True).stdout.split()
def until(answer):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = answer()
        if found:
            return found
    raise SystemExit("timed out")
canvas = np.full((240, 320, 3), (0, 0, 255), np.uint8)
with Window("faces") as screen:
    assert not screen.closed
    def key():
        screen.show(canvas)
        return screen.key()
    for _ in range(20):
        assert key() is None
    where = until(lambda: find("faces"))
    subprocess.run(["xdotool", "windowfocus", where[-1]], check=True)
    seen = []
    # Up and Home end in the bytes of R and P.
    pressed = "s z P Left Up m Right Home r comma period space i f h Escape q"
    for name in pressed.split():
        subprocess.run(["xdotool", "key", name], check=True)
        if name not in ("z", "Up", "Home"):
            seen.append(until(key))
    print(" ".join(seen))
    assert not screen.closed
    assert screen.canvas_hw((240, 320)) == (240, 320)
    subprocess.run(["xdotool", "windowsize", "--sync", where[-1], "500", "300"], check=True)
    until(lambda: key() or screen.canvas_hw((240, 320)) == (300, 500))
    print(screen.toggle_full_screen(), screen.toggle_full_screen())
screen.close()
with Window("gone") as screen:
    screen.show(canvas)
    screen.key()
    where = find("gone")
    press_cross(int(where[-1]))
    until(lambda: screen.key() or screen.closed)
    screen.show(canvas)
    print(screen.closed)
"""


@needs_xvfb
def test_a_window_returns_keys_and_notices_that_it_was_closed() -> None:
    command = on_virtual_screen([sys.executable, "-c", SESSION])
    done = run_process(command, env={"QT_QPA_PLATFORM": "wayland"})
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stdout.splitlines() == ["s p left m right r , . space i f h q q", "True False", "True"]


LARGE = """
import numpy as np
from tracker.runs.window import Window
with Window("large") as screen:
    hw = screen.canvas_hw((2160, 3840))
    screen.show(np.zeros((*hw, 3), np.uint8))
    screen.key(0.1)
    print(*hw, *screen.canvas_hw((2160, 3840)))
"""


@needs_xvfb
def test_a_window_for_a_large_picture_fits_the_screen() -> None:
    done = run_process(on_virtual_screen([sys.executable, "-c", LARGE]))
    assert done.exit_code == 0, done.stdout + done.stderr
    assert done.stdout.split() == ["648", "1152", "648", "1152"]  # of 1280x1024


@pytest.mark.parametrize(
    ("picture_hw", "monitor", "expected"),
    [
        ((480, 640), (1920, 1080), (480, 640)),
        ((1080, 1920), (1920, 1080), (972, 1728)),
        ((2160, 3840), (1280, 1024), (648, 1152)),
        ((1920, 1080), (1920, 1080), (972, 547)),  # upright
        ((48, 64), (1920, 1080), (240, 320)),  # too small for text
        ((100, 4000), (1920, 1080), (43, 1728)),
        ((2160, 3840), None, (2160, 3840)),  # the system does not tell
        ((1, 1), (1, 1), (1, 1)),
    ],
)
def test_a_new_window_is_as_large_as_picture_and_monitor_allow(
    picture_hw: tuple[int, int], monitor: tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    assert first_hw(picture_hw, monitor) == expected


def test_a_fake_window_returns_its_keys_and_keeps_copies() -> None:
    fake = FakeWindow(["s", None, "q"])
    screen: Screen = fake
    canvas = np.zeros((4, 4, 3), np.uint8)
    screen.show(canvas)
    canvas[:] = 9
    assert fake.shown[0].max() == 0
    assert [screen.key() for _ in range(5)] == ["s", None, "q", None, None]
    assert not screen.closed
