"""Training and export commands of README.md and docs/train.md: as printed they parse, and they run."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import typer.main

from tests.cli import REPO
from tests.tiny import write_300w
from tests.train.imm_files import write_imm

pytest.importorskip("torch")

from export import cli as export_cli
from train.cli import main as train_cli

COMMANDS: Mapping[str, Any] = {
    "train": typer.main.get_command(train_cli.app),
    "export": typer.main.get_command(export_cli.app),
}
GUIDE = (REPO / "docs" / "train.md").read_text("utf-8")


def blocks(text: str) -> list[list[list[str]]]:
    """Return the words of each training and export command, block of code by block of code."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        lines = block.replace("\\\n", " ").splitlines()
        words = [shlex.split(line, comments=True)[1:] for line in lines]
        found.append([line[1:] for line in words if line[:1] == ["-m"] and line[1] in COMMANDS])
    return [block for block in found if block]


def inline(text: str) -> list[list[str]]:
    """Return the words of each command in a sentence or table that names its data."""
    return [
        shlex.split(line.replace("MODEL", "unet"))
        for line in re.findall(r"`python -m ((?:train|export) [^`]*--data DIR)`", text)
    ]


NEED_FACES = {"pseudo.jsonl", "turned.jsonl", "candidates.jsonl", "before.onnx"}
"""Files of the commands that let one network teach another, which drawn faces cannot."""

PRINTED = [
    *[command for block in blocks(GUIDE) for command in block],
    *inline((REPO / "README.md").read_text("utf-8")),
]


def parsed(words: list[str]) -> tuple[Any, Any]:
    """Return the command that ``words`` name and the context that they give; a usage error raises."""
    program, name, *arguments = words
    command = COMMANDS[program].commands[name]
    return command, command.make_context(name, list(arguments))


def test_the_texts_print_commands_of_both_programs() -> None:
    names = {(words[0], words[1]) for words in PRINTED}
    assert len(PRINTED) > 20
    assert {("train", "resnet18"), ("train", "evaluate"), ("export", "landmarks")} <= names


@pytest.mark.parametrize("words", PRINTED, ids=" ".join)
def test_a_printed_command_has_the_options_that_it_is_given(words: list[str]) -> None:
    parsed(words)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn faces in the layouts of 300-W and of the IMM Face Database."""
    return write_300w(write_imm(tmp_path_factory.mktemp("data")), train=12)


def shortened(words: list[str], data: Path) -> list[str]:
    """Return a printed command for this data, with a small limit and one epoch where it takes them."""
    command, _ = parsed(words)
    options = {option for parameter in command.params for option in parameter.opts}
    place = [str(data) if words[i - 1] == "--data" else word for i, word in enumerate(words)]
    for option, value in (("--limit", "8"), ("--epochs", "1"), ("--threads", "1")):
        if option in options:
            place += [option, value]
    return place


@pytest.mark.slow
def test_the_commands_of_the_guide_run_in_turn(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One folder for all, since later commands use what earlier ones wrote."""
    for folder in ("train", "tracker"):  # recipes and the portrait, which commands name from a clone
        (tmp_path / folder).symlink_to(REPO / folder)
    (tmp_path / "FOLDER").mkdir()
    shutil.copy(REPO / "tracker" / "assets" / "astronaut.jpg", tmp_path / "FOLDER")
    monkeypatch.chdir(tmp_path)
    for words in [words for block in blocks(GUIDE) for words in block if not NEED_FACES & set(words)]:
        program, *arguments = shortened(words, data)
        monkeypatch.setattr(sys, "argv", [f"python -m {program}", *arguments])
        with pytest.raises(SystemExit) as left:
            (train_cli if program == "train" else export_cli).main()
        assert left.value.code in (None, 0), shlex.join(words)
    assert [path.name for path in (tmp_path / "marked").iterdir()] == ["astronaut.jpg.png"]
