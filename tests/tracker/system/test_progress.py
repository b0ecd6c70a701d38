from __future__ import annotations

import pytest

from tracker.system.progress import progress_bar


def test_on_a_terminal_the_bar_counts_and_names_files_as_they_are(
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


def test_elsewhere_it_is_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    with progress_bar("a.mp4", None) as advance:
        advance()
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""
