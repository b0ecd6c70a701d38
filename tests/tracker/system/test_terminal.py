"""Printable names and the progress bar."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli import assert_one_line_error, run_cli
from tracker.system.terminal import printable, progress_bar


@given(st.text())
def test_printable_leaves_no_control_characters(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
    shown.encode()


def test_printable_keeps_readable_text() -> None:
    assert printable("Müller, 東京 (1).mp4") == "Müller, 東京 (1).mp4"
    assert printable("a\x1b[2J\nb\udcff") == "a\\x1b[2J\\nb\\udcff"


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot exist there")
def test_an_error_about_a_name_with_escape_sequences_is_one_line(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\x1b[2J\ntracker: all is well\xff.mp4"
    done = run_cli("--no-window", "--json", "-", "--video", name)
    assert_one_line_error(done)
    assert "\x1b" not in done.stderr


def test_progress_bar_on_a_terminal_counts_and_prints_the_title_unchanged(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar("a [1080p] [/b].mp4", 3) as advance:
        for _ in range(3):
            advance()
    captured = capsys.readouterr()
    assert "a [1080p] [/b].mp4" in captured.err
    assert "3/3" in captured.err
    assert captured.out == ""


def test_progress_bar_elsewhere_prints_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    with progress_bar("a.mp4", None) as advance:
        advance()
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""
