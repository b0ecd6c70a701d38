from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracker.cli.test_main import CLEAN, REPO
from tracker.system.terminal import printable


@given(st.text())
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown == text or not text.isprintable()
    shown.encode()


def test_what_can_be_read_stays() -> None:
    assert printable("Müller, 東京 (1).mp4") == "Müller, 東京 (1).mp4"
    assert printable("a\x1b[2J\nb\udcff") == "a\\x1b[2J\\nb\\udcff"


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot exist there")
def test_a_hostile_name_is_one_harmless_line_of_error(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\x1b[2J\ntracker: all is well\xff.mp4"
    command = [sys.executable, "-m", "tracker", "--no-window", "--json", "-", "--video", name]
    done = subprocess.run(command, capture_output=True, env=CLEAN, cwd=REPO, timeout=60)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert b"\x1b" not in done.stderr
    assert b"Traceback" not in done.stderr
