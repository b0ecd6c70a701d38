"""Commands that texts of training and export name work as typed: as `python -m train NAME`, not without."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
import typer

pytest.importorskip("torch")

from export.cli import app as export
from tests.cli import REPO
from train.cli.main import app as train

SHORT = re.compile(r"`(?:train|export) [a-z][^`]*")
WHOLE = re.compile(r"python -m (train|export) ([a-z][a-z0-9-]*)(?![\w./])")


def texts() -> Iterator[tuple[str, str]]:
    """Yield each text in both packages, neighbours of a message joined, with its place."""
    for package in ("train", "export"):
        for path in sorted((REPO / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield f"{path.relative_to(REPO)}:{node.lineno}", node.value


def test_commands_are_named_with_what_starts_them() -> None:
    assert [(place, found) for place, text in texts() for found in SHORT.findall(text)] == []


def test_commands_that_texts_name_exist() -> None:
    groups = {"train": typer.main.get_command(train), "export": typer.main.get_command(export)}
    named = [(place, *found) for place, text in texts() for found in WHOLE.findall(text)]
    assert {"points", "points-error", "landmarks"} <= {name for _, _, name in named}
    assert [found for found in named if found[2] not in groups[found[1]].commands] == []  # type: ignore[attr-defined]
