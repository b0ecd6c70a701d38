"""The system's viewer: asked once, or one line why not; never in place of a result."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tracker.system import viewer
from tracker.system.viewer import open_in_viewer

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs scripts")


@pytest.fixture(autouse=True)
def _desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this be a session on a Linux desktop."""
    for name in ("SSH_CONNECTION", "SSH_TTY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":9")
    monkeypatch.setattr(sys, "platform", "linux")


def install(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch, name: str = "xdg-open") -> None:
    """Install ``script`` as the only program on the path."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


@posix
@pytest.mark.parametrize(("platform", "name"), [("linux", "xdg-open"), ("darwin", "open")])
def test_the_viewer_gets_the_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, name: str
) -> None:
    install(tmp_path, f'printf %s "$1" > "{tmp_path}/seen"', monkeypatch, name)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.chdir(tmp_path)
    assert open_in_viewer(Path("-o ut.mp4")) is None
    assert (tmp_path / "seen").read_text() == str(tmp_path / "-o ut.mp4")


def test_windows_opens_it_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "startfile", opened.append, raising=False)
    assert open_in_viewer(Path("out.mp4")) is None
    assert opened == [str(Path("out.mp4").absolute())]

    def fail(_: str) -> None:
        raise OSError(1155, "no application is associated")

    monkeypatch.setattr(os, "startfile", fail, raising=False)
    assert "no application" in str(open_in_viewer(Path("out.mp4")))


@posix
@pytest.mark.parametrize("name", ["SSH_CONNECTION", "SSH_TTY"])
def test_nothing_is_opened_over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    install(tmp_path, f'touch "{tmp_path}/seen"', monkeypatch)
    monkeypatch.setenv(name, "here")
    assert "SSH" in str(open_in_viewer(tmp_path))
    assert not (tmp_path / "seen").exists()


@posix
def test_nothing_is_opened_without_a_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "exit 0", monkeypatch)
    monkeypatch.delenv("DISPLAY")
    assert "no screen" in str(open_in_viewer(tmp_path))
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert open_in_viewer(tmp_path) is None


def test_without_a_viewer_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "xdg-open is not installed" in str(open_in_viewer(tmp_path))


@posix
def test_a_viewer_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "echo noise; echo noise >&2; exit 3", monkeypatch)
    assert open_in_viewer(tmp_path) == "xdg-open could not open it (exit code 3)"


def test_a_viewer_that_does_not_start_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(subprocess, "Popen", fail)
    monkeypatch.setattr(shutil, "which", lambda name: name)
    assert "Permission denied" in str(open_in_viewer(tmp_path))


@posix
def test_a_viewer_that_goes_on_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, f'touch "{tmp_path}/seen"; read line < "{tmp_path}/end"', monkeypatch)
    os.mkfifo(tmp_path / "end")
    monkeypatch.setattr(viewer, "_WAIT_S", 0.3)
    assert open_in_viewer(tmp_path) is None
    (tmp_path / "end").write_text("end\n")


@posix
def test_an_address_is_passed_on_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, f'printf %s "$1" > "{tmp_path}/seen"', monkeypatch)
    assert open_in_viewer("http://localhost:8468/?token=a") is None
    assert (tmp_path / "seen").read_text() == "http://localhost:8468/?token=a"
