"""Real and fake windows; the real one in processes of their own, on a virtual screen."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli import on_virtual_screen, run_process
from tracker.errors import DisplayError
from tracker.runs.window import FakeWindow, Screen, Window

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


def test_opencv_without_windows_names_the_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracker.runs.window.cv2.currentUIFramework", lambda: "")
    with pytest.raises(DisplayError, match="opencv-python"):
        Window("test")


@needs_xvfb
def test_a_server_that_refuses_the_connection_is_no_display(tmp_path: Path) -> None:
    code = "import os; os.environ['XAUTHORITY'] = '/nonexistent'\n" + OPEN
    done = run_process(on_virtual_screen([sys.executable, "-c", code], "-e", str(tmp_path / "log")))
    assert done.exit_code == 0, done.stderr
    assert "add --no-window" in done.stdout


SESSION = """
import ctypes, subprocess, time
import numpy as np
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
def press_cross(window):
    # The message of a window manager (ICCCM 4.2.8.1).
    class Message(ctypes.Structure):
        names = "type serial sent display window kind format"
        _fields_ = [(name, ctypes.c_long) for name in names.split()]
        _fields_ += [("data", ctypes.c_long * 5), ("padding", ctypes.c_long * 12)]
    x11 = ctypes.CDLL("libX11.so.6")
    x11.XOpenDisplay.restype = ctypes.c_void_p
    x11.XInternAtom.restype = ctypes.c_ulong
    display = ctypes.c_void_p(x11.XOpenDisplay(None))
    protocols, delete = (x11.XInternAtom(display, name, 0) for name in (b"WM_PROTOCOLS", b"WM_DELETE_WINDOW"))
    message = Message(type=33, window=window, kind=protocols, format=32)
    message.data[0] = delete
    x11.XSendEvent(display, ctypes.c_ulong(window), 0, ctypes.c_long(0), ctypes.byref(message))
    x11.XCloseDisplay(display)
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
    # Left, Up, Right and Home end in the bytes of Q, R, S and P.
    for name in ("s", "z", "P", "Left", "Up", "m", "Right", "Home", "r", "Escape", "q"):
        subprocess.run(["xdotool", "key", name], check=True)
        if name != "z" and name not in ("Left", "Up", "Right", "Home"):
            seen.append(until(key))
    print(",".join(seen))
    assert not screen.closed
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
    assert done.stdout.split() == ["s,p,m,r,q,q", "True"]


def test_a_fake_window_returns_its_keys_and_keeps_copies() -> None:
    fake = FakeWindow(["s", None, "q"])
    screen: Screen = fake
    canvas = np.zeros((4, 4, 3), np.uint8)
    screen.show(canvas)
    canvas[:] = 9
    assert fake.shown[0].max() == 0
    assert [screen.key() for _ in range(5)] == ["s", None, "q", None, None]
    assert not screen.closed
