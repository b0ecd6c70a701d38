"""Size of the monitor, as each system tells it."""

from __future__ import annotations

import ctypes
import shutil
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from tests.cli import on_virtual_screen, run_process
from tracker.system.display import monitor_size

PRINT = "from tracker.system.display import monitor_size; print(monitor_size())"


@pytest.mark.skipif(
    not (sys.platform.startswith("linux") and shutil.which("xvfb-run")), reason="needs xvfb-run"
)
def test_the_size_of_the_x11_screen_is_found() -> None:
    done = run_process(on_virtual_screen([sys.executable, "-c", PRINT]))
    assert (done.exit_code, done.stdout.strip()) == (0, "(1280, 1024)"), done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="X11")
def test_without_a_server_there_is_no_size() -> None:
    done = run_process([sys.executable, "-c", PRINT], env={"DISPLAY": ":987"})
    assert (done.exit_code, done.stdout.strip()) == (0, "None"), done.stderr


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ((1920, 1080), (1920, 1080)),
        ((3840, 1080), (2160, 1080)),
        ((0, 0), None),
        ((1080, 1920), (1080, 1920)),
    ],
)
def test_the_size_that_windows_states(
    stated: tuple[int, int], expected: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    user32 = SimpleNamespace(GetSystemMetrics=lambda which: stated[which])
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(user32=user32), raising=False)
    assert monitor_size() == expected


def test_the_size_that_macos_states(monkeypatch: pytest.MonkeyPatch) -> None:
    class Function:
        def __init__(self, answer: Callable[..., int]) -> None:
            self.answer = answer

        def __call__(self, *arguments: int) -> int:
            return self.answer(*arguments)

    graphics = SimpleNamespace(
        CGMainDisplayID=Function(lambda: 7),
        CGDisplayPixelsWide=Function(lambda display: 1440 if display == 7 else 0),
        CGDisplayPixelsHigh=Function(lambda display: 900 if display == 7 else 0),
    )
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: graphics)
    assert monitor_size() == (1440, 900)


def test_a_library_that_is_missing_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    assert monitor_size() is None
