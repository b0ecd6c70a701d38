"""Ctrl-C before a command has begun its work: exit code 130 and no traceback, also out of an import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")

import export.cli
import train.cli.main
from tests.cli import REPO
from train.processes import was_interrupted

INTERRUPTED = """
import signal
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt as error:
    raise ImportError("initialization failed") from error
"""
"""A module that is interrupted while it is imported, and raises what those in native code do."""


@pytest.mark.parametrize("program", ["train", "export"])
def test_an_interrupted_import_ends_the_program_quietly(program: str, tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text(INTERRUPTED)
    done = subprocess.run(
        [sys.executable, "-m", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.parametrize("module", [train.cli.main, export.cli])
@pytest.mark.parametrize("turned", [True, False])
def test_an_interrupted_command_ends_quietly(
    module: object, turned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before typer takes over, or where a module that the command imports makes another exception of it."""

    def app() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            if turned:
                raise ImportError("initialization failed") from error
            raise

    monkeypatch.setattr(module, "app", app)
    with pytest.raises(SystemExit) as left:
        module.main()  # type: ignore[attr-defined]
    assert left.value.code == 130
    assert capsys.readouterr() == ("", "")


def test_other_errors_are_none_of_ctrl_c() -> None:
    inner, outer = ValueError("inner"), RuntimeError("outer")
    assert not was_interrupted(outer)
    outer.__cause__, inner.__context__ = inner, outer
    assert not was_interrupted(outer)
    inner.__cause__ = KeyboardInterrupt()
    assert was_interrupted(outer)
