"""Shell completion: the scripts of four shells, and what bash is offered."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli import REPO, run_cli, run_process
from tracker.cli.inputs import COMMANDS

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")
CODE = "import sys; sys.argv[0] = 'tracker'; from tracker.cli.main import main; main()"
"""The command as it is installed: completion goes by the program's name."""


def completed(words: Sequence[str], env: dict[str, str] | None = None) -> list[str]:
    """Return what bash is offered for the last of ``words``, which may be empty."""
    variables = {
        "_TRACKER_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
        **(env or {}),
    }
    with_variables = [f"{name}={value}" for name, value in variables.items()]
    done = run_process(["env", *with_variables, sys.executable, "-c", CODE])
    assert done.exit_code == 0, done.stderr
    return done.stdout.split()


@pytest.mark.skipif(sys.platform == "win32", reason="needs env")
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("tracker", "b"), {"batch", "bench"}),
        (("tracker", ""), set(COMMANDS)),
        (("tracker", "--min"), {"--min-score", "--min-face"}),
        (("tracker", "in.mp4", "--open"), {"--open", "--openface"}),
        (("tracker", "--smoothing", "l"), {"low"}),
        (("tracker", "batch", "--min-f"), {"--min-face"}),
        (("tracker", "plot", "--out"), {"--output"}),
    ],
)
def test_bash_is_offered_commands_options_and_values(words: Sequence[str], offered: set[str]) -> None:
    assert set(completed(words)) == offered


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX")
def test_bash_itself_completes_after_the_script_is_loaded(tmp_path: Path) -> None:
    """The script is evaluated by bash, and its function asked as readline would."""
    program = tmp_path / "tracker"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{CODE}" "$@"\n')
    program.chmod(0o755)
    asked = (
        f'PATH="{tmp_path}:$PATH"; eval "$(_TRACKER_COMPLETE=source_bash tracker)"; complete -p tracker; '
        "COMP_WORDS=(tracker ben); COMP_CWORD=1; _tracker_completion tracker; echo ${COMPREPLY[@]}"
    )
    done = run_process(["bash", "--norc", "-c", asked], cwd=REPO)
    assert done.exit_code == 0, done.stderr
    rule, offered = done.stdout.splitlines()
    assert "_tracker_completion" in rule
    assert "-o default" in rule  # files where nothing else is offered
    assert offered == "bench"


@pytest.mark.skipif(sys.platform == "win32", reason="needs env")
@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_a_script(shell: str) -> None:
    done = run_process(["env", f"_TRACKER_COMPLETE=source_{shell}", sys.executable, "-c", CODE])
    assert done.exit_code == 0, done.stderr
    assert "tracker" in done.stdout


def test_the_help_offers_to_install_it() -> None:
    text = run_cli("--help").stdout
    assert "--install-completion" in text
    assert "--show-completion" in text
