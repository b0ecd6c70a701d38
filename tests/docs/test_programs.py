"""Programs and commands of the documentation: they run, and every option is explained."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import pytest
import typer.main

from tests.cli import REPO
from tests.faces import astronaut
from tests.media import face_video
from tracker.cli.main import app

DOCS = sorted((REPO / "docs").glob("*.md"))
PROGRAMS = [
    pytest.param(program, id=f"{page}-{number}")
    for page in ("index", "library", "quickstart")
    for number, program in enumerate(
        re.findall(r"```python\n(.*?)```", (REPO / "docs" / f"{page}.md").read_text("utf-8"), re.DOTALL)
    )
]


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_of_the_pages_run(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    face_video(tmp_path / "in.mp4", 3)
    cv2.imwrite("photo.jpg", astronaut())
    names = {"pictures": [astronaut()[:, :, ::-1]] * 2}
    exec(compile(program.replace('open_source("0")', 'open_source("in.mp4")'), "page", "exec"), names)
    if "print" in program:
        assert capsys.readouterr().out
    if "VideoSink" in program:
        assert Path("marked.mp4").stat().st_size
        assert len(Path("points.csv").read_text("utf-8").splitlines()) == 1 + 3


def _options() -> dict[str, set[str]]:
    """Return the long options of each command; the name of the main one is empty."""
    main = typer.main.get_command(app)
    commands = {"": main, **getattr(main, "commands", {})}
    return {
        name: {
            option
            for parameter in command.params
            for option in (*parameter.opts, *parameter.secondary_opts)
            if option.startswith("--")
        }
        for name, command in commands.items()
    }


def test_every_option_of_every_command_is_explained() -> None:
    text = "\n".join(path.read_text("utf-8") for path in DOCS)
    every = set().union(*_options().values())
    assert {option for option in every if not re.search(rf"{option}\b(?!-)", text)} == set()


@pytest.mark.parametrize("path", [REPO / "README.md", *DOCS], ids=lambda path: path.name)
def test_commands_of_the_pages_have_the_options_that_they_are_given(path: Path) -> None:
    options = _options()
    wrong = []
    text = path.read_text("utf-8").replace("\\|", "|")
    for command in re.findall(r"(?:^|`)tracker((?: [^`\n#|]+)?)", text, re.MULTILINE):
        words = command.split()
        name = words[0] if words and words[0] in options else ""
        given = {word for word in words if re.fullmatch(r"--[a-z-]+", word)}
        wrong += [f"tracker{command}: {option}" for option in given - options[name] - {"--help"}]
    assert wrong == []
