# /// script
# dependencies = ["nox>=2025.2.9"]
# ///
"""A contributor's tasks, the same on Linux, macOS and Windows; ``nox --list`` names them.

All tasks but ``docs`` share one environment, ``.venv``, and the first to run sets it up. The commands that
install and check come from the two blocks of README.md that ``.ci/run`` executes: each is written down once.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["check"]

README = Path(__file__).parent / "README.md"
VENV = Path(__file__).parent / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
task = nox.session(venv_backend="none")


def readme_commands(mark: str) -> list[list[str]]:
    """Return the words of each command in the block of README.md that is marked ``ci:MARK``."""
    found = re.search(rf"^<!-- ci:{mark} -->\n+```sh\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)
    if not found:
        raise LookupError(f"README.md has no block marked <!-- ci:{mark} -->")
    lines = (shlex.split(line, comments=True) for line in found[1].splitlines())
    return [words for words in lines if words]


def run(session: nox.Session, name: str, *words: str) -> None:
    """Run the program ``name`` of the environment as if that were activated."""
    program = shutil.which(name, path=BIN)
    if not program:
        session.error(f"{name} is not in {VENV}: run nox -s dev")
    path = os.pathsep.join((str(BIN), os.environ["PATH"]))
    session.run(program, *words, env={"PATH": path, "VIRTUAL_ENV": str(VENV)}, external=True)


def set_up(session: nox.Session) -> None:
    """Make the environment if it is not complete."""
    if not shutil.which("lint-imports", path=BIN):
        dev(session)


@task
def dev(session: nox.Session) -> None:
    """Set up: install the project, editable, with everything that its checks need into .venv."""
    if not shutil.which("pip", path=BIN):
        session.run(sys.executable, "-m", "venv", str(VENV), external=True)
    for words in readme_commands("install"):
        run(session, *words)


@task
def lint(session: nox.Session) -> None:
    """Check style, formatting, types and layers."""
    set_up(session)
    for words in readme_commands("test"):
        if words[0] != "pytest":
            run(session, *words)


@task
def tests(session: nox.Session) -> None:
    """Run all tests on all cores, or what follows --, such as: nox -s tests -- tests/tracker/sinks."""
    set_up(session)
    run(session, "pytest", *(session.posargs or ["-n", "auto"]))


@task
def check(session: nox.Session) -> None:
    """Check what a commit needs: lint, then the everyday tests on all cores."""
    lint(session)
    run(session, "pytest", "-m", "not slow", "-n", "auto")


@task
def bench(session: nox.Session) -> None:
    """Measure every stage of the tracker on this computer; options of tracker bench follow --."""
    set_up(session)
    run(session, "tracker", "bench", *session.posargs)


@nox.session(reuse_venv=True)
def docs(session: nox.Session) -> None:
    """Build the documentation into build/site, warnings as errors; nox -s docs -- serve shows it live.

    It has an environment of its own, as in CI: the site reads the source, and needs nothing of the project.
    """
    session.install(*nox.project.load_toml("pyproject.toml")["project"]["optional-dependencies"]["docs"])
    session.env["NO_MKDOCS_2_WARNING"] = "1"
    session.run("python", "-m", "mkdocs", *(session.posargs or ["build", "--strict", "--clean"]))
    if not session.posargs:
        session.run("python", "-m", "docs.tools.check", "build/site")
