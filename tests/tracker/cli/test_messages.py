from __future__ import annotations

import pytest

from tracker.cli.messages import say


def test_a_message_is_one_printable_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    say("cannot read a\x1b[2Jb\n.mp4")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("tracker: cannot read a")
    assert captured.err.count("\n") == 1
    assert "\x1b" not in captured.err
