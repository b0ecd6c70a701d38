"""The shape of the code: how many modules lie where, and how long and wide they are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.cli import REPO

TREES = ("tracker", "train", "export", "benchmarks", "examples")
MOST_FOLDERS, MOST_FILES, MOST_LEVELS = 10, 9, 3
MOST_LINES, MOST_FUNCTION_LINES_P90, MOST_PARAMETERS = 300, 30, 6
MOST_RIDDLES = 10
COMMANDS = ("tracker/cli/", "train/cli/", "export/cli.py")
"""Paths whose functions may have the options of a command as parameters; so may a benchmark's main."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources(*trees: str) -> list[Path]:
    return [path for tree in trees for path in sorted((REPO / tree).rglob("*.py"))]


def name_of(path: Path) -> str:
    return path.relative_to(REPO).as_posix()


def functions(path: Path) -> Iterator[Function]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def parameter_count(function: Function) -> int:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def is_command(path: Path, function: Function) -> bool:
    name = name_of(path)
    return name.startswith(COMMANDS) or (name.startswith("benchmarks/") and function.name == "main")


def test_the_package_is_seen_at_a_glance() -> None:
    inside = [path for path in (REPO / "tracker").iterdir() if path.name != "__pycache__"]
    folders = [path.name for path in inside if path.is_dir() and path.name != "assets"]
    files = [path.name for path in inside if path.is_file()]
    assert len(folders) <= MOST_FOLDERS, folders
    assert len(files) <= MOST_FILES, files
    deepest = max(len(path.relative_to(REPO / "tracker").parts) - 1 for path in sources("tracker"))
    assert deepest <= MOST_LEVELS


def test_files_are_short() -> None:
    lengths = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in sources(*TREES)}
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_functions_are_short() -> None:
    lengths = [
        (function.end_lineno or function.lineno) - function.lineno + 1
        for path in sources(*TREES)
        for function in functions(path)
    ]
    assert np.percentile(lengths, 90) <= MOST_FUNCTION_LINES_P90


def test_functions_have_few_parameters() -> None:
    wide = [
        f"{name_of(path)}:{function.lineno} {function.name}: {parameter_count(function)}"
        for path in sources(*TREES)
        for function in functions(path)
        if parameter_count(function) > MOST_PARAMETERS and not is_command(path, function)
    ]
    assert wide == []


def test_docstrings_name_the_thing() -> None:
    riddles = [
        f"{name_of(path)}: {text.splitlines()[0]}"
        for path in sources("tracker", "train", "export", "examples")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, Function | ast.ClassDef | ast.Module)
        and (text := ast.get_docstring(node))
        and re.match(r"(what|who|where|how|whether)\b", text, re.IGNORECASE)
    ]
    assert len(riddles) <= MOST_RIDDLES, riddles
