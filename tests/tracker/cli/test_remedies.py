"""Every option and command that a text of the package names is one of the command line's."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from tests.cli import REPO
from tracker.cli.inputs import COMMANDS
from tracker.cli.main import app
from tracker.cli.options import PANELS
from tracker.cli.steadiness import app as steadiness

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*")
ELSEWHERE = {"--head", "--yes", "--force-reinstall", "--no-deps"}
"""Options of other programs: ``ray start --head``, ``pip uninstall --yes`` and the like."""

GROUP: Any = typer.main.get_command(app)


def all_commands() -> list[Any]:
    return [GROUP, *GROUP.commands.values(), typer.main.get_command(steadiness)]


def options() -> set[str]:
    """Return the options of all commands, those that typer adds included."""
    context = GROUP.context_class(GROUP)
    context.allow_interspersed_args = True
    params = [param for command in all_commands() for param in command.get_params(context)]
    return {option for param in params for option in (*param.opts, *param.secondary_opts)}


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text in the package, the constant parts of f-strings and docstrings too, with its place."""
    for path in sorted((REPO / "tracker").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{path.relative_to(REPO)}:{node.lineno}", node.value


def test_options_that_texts_name_exist() -> None:
    known = options() | ELSEWHERE
    named = [(place, option) for place, text in texts() for option in OPTION.findall(text)]
    assert len(named) > 100
    assert {"--camera", "--output", "--resume", "--max-faces"} <= {option for _, option in named}
    unknown = [f"{place}: {option}" for place, option in named if option.rstrip("-") not in known]
    assert unknown == []


def test_commands_that_texts_name_exist() -> None:
    """``tracker NAME`` where a command is written out: in back quotes or behind a colon."""
    command = re.compile(r"(?:`|: |tracks all: )tracker ([a-z]+)(?![\w./-])")
    named = {name for _, text in texts() for name in command.findall(text)}
    assert {"demo", "batch", "plot", "info"} <= named
    assert named - {"photos"} <= set(COMMANDS)


def test_each_parameter_has_one_panel() -> None:
    context = GROUP.context_class(GROUP)
    context.allow_interspersed_args = True
    names = Counter(name for names in PANELS.values() for name in names)
    assert set(names.values()) == {1}
    assert set(names) == {param.name for param in GROUP.get_params(context)}


def test_the_help_leads_with_examples_that_are_commands() -> None:
    doc = GROUP.help
    examples = re.findall(r"`tracker ([^`]+)`", doc)
    assert len(examples) >= 4
    for example in examples:
        assert set(OPTION.findall(example)) <= options()


def test_the_audit_sees_the_whole_package() -> None:
    places = {place.split(":")[0] for place, _ in texts()}
    for folder in ("cli", "sources", "sinks", "runs"):
        assert any(Path(place).parts[:2] == ("tracker", folder) for place in places)
